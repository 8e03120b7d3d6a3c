using System.Net.Sockets;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Network;

/// <summary>What a connection has proved so far.</summary>
internal enum ConnectionState
{
    /// <summary>Nothing: <see cref="ClientHello"/> must come.</summary>
    Greeted,

    /// <summary>It knows the token; <see cref="MemberHello"/> must come.</summary>
    Proved,

    Member,

    Command,

    /// <summary>It is to be closed once everything is sent; what it says no longer counts.</summary>
    Closing,

    Closed,
}

/// <summary>One accepted socket: received bytes on their way to frames, and frames on their way out. Never blocks.</summary>
internal sealed class Connection(Socket socket, string endpoint, Action<Connection> wantsToSend) : Peer
{
    private const int ReceiveBytes = 16384;
    private const int MostAtOnce = 1 << 20;

    private int _sent;
    private bool _isQueued;

    public Socket Socket { get; } = socket;

    public int Fd { get; } = (int)socket.Handle;

    public string Endpoint { get; } = endpoint;

    public ConnectionState State { get; set; } = ConnectionState.Greeted;

    public FrameBuffer Incoming { get; } = new() { MaximumPayloadBytes = Frame.MaximumHandshakeBytes };

    public byte[] Nonce { get; init; } = [];

    /// <summary>The server's proof, kept for the welcome.</summary>
    public byte[] Proof { get; set; } = [];

    /// <summary>When it must have proved itself, or have taken something of what waits for it; negative: no such deadline.</summary>
    public TimeSpan Deadline { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>The poll must also wait for it to become writable.</summary>
    public bool WaitsToSend { get; set; }

    public int QueuedBytes => _outgoing.Length - _sent;

    /// <summary>Receives what is there, up to a bound so that nobody keeps the loop to himself.</summary>
    /// <returns>False: the peer has closed, or the connection is broken.</returns>
    public bool Receive()
    {
        int total = 0;
        while (total < MostAtOnce)
        {
            Memory<byte> space = Incoming.Space(ReceiveBytes);
            int count = Socket.Receive(space.Span, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock) return true;
            if (error != SocketError.Success || count == 0) return false;
            Incoming.Advance(count);
            total += count;
            if (count < space.Length) return true;
        }

        return true;
    }

    /// <summary>Sends as much as the socket takes.</summary>
    /// <returns>False: the connection is broken.</returns>
    public bool Transmit(out bool progressed)
    {
        progressed = false;
        _isQueued = false;
        while (QueuedBytes > 0)
        {
            int count = Socket.Send(_outgoing.Written[_sent..], SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock) return true;
            if (error != SocketError.Success) return false;
            _sent += count;
            progressed = true;
        }

        // A burst of candidates should not keep its memory for the rest of the computation.
        if (_outgoing.Buffer.Length > ReceiveBytes) _outgoing = new MessageWriter(256);
        else _outgoing.Clear();
        _sent = 0;
        return true;
    }

    public override void CloseWhenSent()
    {
        if (State != ConnectionState.Closed) State = ConnectionState.Closing;
        OnQueued();
    }

    protected override void OnQueued()
    {
        if (_isQueued) return;
        _isQueued = true;
        wantsToSend(this);
    }
}
