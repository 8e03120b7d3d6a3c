using System.Net;
using System.Net.Sockets;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.Logging;
using Dormouse.Coordinator.Network;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator;

/// <summary>
/// The coordinator: one port, one thread, one computation. <see cref="Listen"/>, then <see cref="Run"/>, which returns when a command
/// said quit, when the last one left (with ExitOnLast), or when the token is cancelled.
/// </summary>
public sealed class CoordinatorServer : IDisposable
{

    private static readonly TimeSpan s_housekeeping = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_acceptPause = TimeSpan.FromMilliseconds(200);

    private readonly CoordinatorOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly Epoll _epoll = new();
    private readonly Listeners _listeners;
    private readonly Dictionary<int, Connection> _connections = [];
    private readonly List<Connection> _toSend = [];
    private readonly Computation _computation;
    private readonly CommandDispatcher _commands;
    private readonly AnonymousPipe _wakeup = new();
    private TimeSpan _acceptAgainAt = Timeout.InfiniteTimeSpan;
    private TimeSpan _housekeepAt = TimeSpan.Zero;
    private TimeSpan _emptySince;
    private bool _isAbandoned, _isUnneeded;

    public CoordinatorServer(CoordinatorOptions options, ILogger logger, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _logger, _clock) = (options, logger, clock ?? TimeProvider.System);
        _computation = new Computation(options, _clock, logger);
        _listeners = new Listeners(_epoll);
        _commands = new CommandDispatcher(_computation, _listeners);
        _emptySince = _computation.Now;
    }

    /// <summary>The number of the computation.</summary>
    public ulong Computation => _computation.Number;

    /// <summary>Where it listens, known after <see cref="Listen"/>.</summary>
    public IPEndPoint Endpoint => _listeners.Endpoint;

    /// <summary>Called when it is about to end, before its port is free.</summary>
    public Action? Leaving { get; set; }

    /// <exception cref="SocketException">The address or port cannot be had.</exception>
    public void Listen()
    {
        _listeners.Open(new IPEndPoint(_options.Address, _options.Port));
        _epoll.Add(_wakeup.ReadFd, Epoll.Readable);
        ConnectionLog.Listening(_logger, Endpoint.ToString(), Environment.ProcessId, Computation);
    }

    /// <summary>Who has started it did not wait for it. It ends at once, unless somebody else has found it.</summary>
    public void LoseStarter()
    {
        _computation.LoseStarter();
        _wakeup.Signal();
    }

    public void Run(CancellationToken cancellation = default)
    {
        using CancellationTokenRegistration registration = cancellation.Register(_wakeup.Signal);
        _computation.Start();
        while (!cancellation.IsCancellationRequested)
        {
            foreach (EpollEvent ready in _epoll.Wait(TimeToNextEvent())) Handle(ready);
            Guard(_computation.Tick, null);
            if (_housekeepAt >= TimeSpan.Zero && _computation.Now >= _housekeepAt) Housekeeping();
            LeaveWhenUnneeded();
            TransmitAll();
            if (MayEnd(out string reason))
            {
                ConnectionLog.Ending(_logger, reason);
                return;
            }
        }
    }

    public void Dispose()
    {
        // Whoever sees the end of a connection may want the port.
        _listeners.Dispose();
        foreach (Connection connection in _connections.Values) connection.Socket.Dispose();
        _connections.Clear();
        _epoll.Dispose();
        _wakeup.Dispose();
    }

    private TimeSpan TimeToNextEvent()
    {
        TimeSpan now = _computation.Now;
        TimeSpan next = _computation.NextTick;
        if (_housekeepAt >= TimeSpan.Zero && (next < TimeSpan.Zero || next > _housekeepAt)) next = _housekeepAt;
        return next < TimeSpan.Zero ? next : next > now ? next - now : TimeSpan.Zero;
    }

    /// <summary>Something now has a deadline: look at all of them a little later. An idle coordinator never wakes.</summary>
    private void HousekeepSoon()
    {
        if (_housekeepAt < TimeSpan.Zero) _housekeepAt = _computation.Now + s_housekeeping;
    }

    private void Handle(EpollEvent ready)
    {
        if (_listeners.Of(ready.Fd) is { } listener) Accept(listener);
        else if (_connections.TryGetValue(ready.Fd, out Connection? connection))
        {
            if ((ready.Events & ~Epoll.Writable) != 0) Receive(connection);
            if ((ready.Events & Epoll.Writable) != 0 && connection.State != ConnectionState.Closed) _toSend.Add(connection);
        }
    }

    private void Accept(Socket listener)
    {
        try
        {
            Socket socket = listener.Accept();
            socket.Blocking = false;
            socket.NoDelay = true;
            string endpoint = socket.RemoteEndPoint?.ToString() ?? "?";
            if (_connections.Count >= _options.MaximumConnections)
            {
                ConnectionLog.ConnectionClosed(_logger, endpoint, "there are too many connections");
                socket.Dispose();
                return;
            }

            Connection connection = new(socket, endpoint, _toSend.Add)
            {
                Nonce = RandomBytes.Take(TokenProof.NonceBytes),
                Deadline = _computation.Now + _options.HandshakeDeadline,
            };
            HousekeepSoon();
            _connections.Add(connection.Fd, connection);
            _epoll.Add(connection.Fd, Epoll.Readable);
            connection.Send(new ServerHello(connection.Nonce));
        }
        catch (SocketException problem) when (problem.SocketErrorCode is SocketError.WouldBlock or SocketError.ConnectionAborted or SocketError.ConnectionReset)
        {
            // The peer went away between being announced and being accepted.
        }
        catch (Exception problem) when (problem is SocketException or IOException)
        {
            // Out of descriptors or memory. The listener stays readable: without a pause this would spin.
            ConnectionLog.AcceptPaused(_logger, problem.Message);
            _listeners.Pause();
            _acceptAgainAt = _computation.Now + s_acceptPause;
            _housekeepAt = _acceptAgainAt;
        }
    }

    private void Receive(Connection connection)
    {
        bool open = connection.Receive();
        bool sound = Guard(() => Dispatch(connection), connection);
        if (sound && !open) Close(connection, null);
    }

    private void Dispatch(Connection connection)
    {
        while (connection.State < ConnectionState.Closing && connection.Incoming.TryTake(out FrameKind kind, out ReadOnlySpan<byte> payload))
        {
            switch (connection.State)
            {
                case ConnectionState.Greeted:
                    CheckProof(connection, kind, payload);
                    break;
                case ConnectionState.Proved:
                    if (kind != FrameKind.MemberHello) throw new ProtocolException($"A member does not begin with {kind}.");
                    connection.State = ConnectionState.Member;
                    _computation.Join(connection, Frame.Read<MemberHello>(payload), connection.Proof);
                    break;
                case ConnectionState.Member:
                    _computation.Receive(connection, kind, payload);
                    break;
                case ConnectionState.Command:
                    _commands.Receive(connection, kind, payload);
                    break;
            }
        }
    }

    private void CheckProof(Connection connection, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (kind != FrameKind.ClientHello) throw new ProtocolException($"A connection does not begin with {kind}.");
        ClientHello hello = Frame.Read<ClientHello>(payload);
        byte[] expected = TokenProof.Client(_options.Token, connection.Nonce, hello.Nonce, hello.Role);
        if (!TokenProof.Matches(expected, hello.Proof))
        {
            ConnectionLog.ConnectionClosed(_logger, connection.Endpoint, "its token is wrong");
            connection.Send(new Refused("The token is wrong: this coordinator belongs to another user or to another computation."));
            connection.CloseWhenSent();
            return;
        }

        connection.Incoming.MaximumPayloadBytes = Frame.MaximumInventoryBytes;
        connection.Proof = TokenProof.Server(_options.Token, hello.Nonce, connection.Nonce);
        connection.Deadline = Timeout.InfiniteTimeSpan;
        if (hello.Role == Role.Member)
        {
            connection.State = ConnectionState.Proved;
        }
        else
        {
            connection.State = ConnectionState.Command;
            connection.Send(new CommandWelcome(connection.Proof, _computation.Number));
        }
    }

    private void TransmitAll()
    {
        // Closing one may make the computation send to others: the list can grow meanwhile.
        for (int i = 0; i < _toSend.Count; i++)
        {
            Connection connection = _toSend[i];
            if (connection.State == ConnectionState.Closed) continue;
            if (!connection.Transmit(out bool progressed))
            {
                Close(connection, null);
                continue;
            }

            if (connection.QueuedBytes > _options.MaximumQueuedBytes)
            {
                Close(connection, "it does not read what it is sent");
            }
            else if (connection.QueuedBytes > 0)
            {
                bool proving = connection.State == ConnectionState.Greeted;
                if (!proving && (progressed || connection.Deadline < TimeSpan.Zero)) connection.Deadline = _computation.Now + _options.SendDeadline;
                SetWaitsToSend(connection, true);
                HousekeepSoon();
            }
            else if (connection.State == ConnectionState.Closing)
            {
                Close(connection, null);
            }
            else
            {
                if (connection.State != ConnectionState.Greeted) connection.Deadline = Timeout.InfiniteTimeSpan;
                SetWaitsToSend(connection, false);
            }
        }

        _toSend.Clear();
    }

    private void SetWaitsToSend(Connection connection, bool waits)
    {
        if (connection.WaitsToSend == waits) return;
        connection.WaitsToSend = waits;
        _epoll.Change(connection.Fd, waits ? Epoll.Readable | Epoll.Writable : Epoll.Readable);
    }

    private void Housekeeping()
    {
        TimeSpan now = _computation.Now;
        _housekeepAt = Timeout.InfiniteTimeSpan;
        if (_acceptAgainAt >= TimeSpan.Zero && now >= _acceptAgainAt)
        {
            _acceptAgainAt = Timeout.InfiniteTimeSpan;
            _listeners.GoOn();
        }

        _computation.Absentees.ForgetEnded();
        bool used = _computation.Absentees.Count > 0;
        if (used && _options.ExitOnLast) HousekeepSoon();
        foreach (Connection connection in _connections.Values.ToArray())
        {
            if (connection.Deadline >= TimeSpan.Zero && now >= connection.Deadline)
                Close(connection, connection.State == ConnectionState.Greeted ? "it did not prove who it is in time" : "it does not read what it is sent");
            else if (connection.Deadline >= TimeSpan.Zero) HousekeepSoon();
            used |= IsUsed(connection);
        }

        if (!_options.ExitOnLast || used) return;
        TimeSpan patience = _computation.WasUsed ? _options.ExitLinger : _options.ExitGrace;
        _isAbandoned = now - _emptySince >= patience;
        HousekeepSoon();
    }

    /// <summary>Runs what a peer, or the clock, caused; its mistakes end that peer only.</summary>
    private bool Guard(Action action, Connection? connection)
    {
        try
        {
            action();
            return true;
        }
        catch (ProtocolException problem)
        {
            if (connection is not null) Close(connection, problem.Message);
            else ConnectionLog.InvariantBroken(_logger, problem, "the clock caused a protocol error");
            return false;
        }
    }

    private void Close(Connection connection, string? reason)
    {
        if (connection.State == ConnectionState.Closed) return;
        if (reason is not null) ConnectionLog.ConnectionClosed(_logger, connection.Endpoint, reason);
        if (IsUsed(connection)) _emptySince = _computation.Now;
        connection.State = ConnectionState.Closed;
        HousekeepSoon();
        _connections.Remove(connection.Fd);
        _epoll.Remove(connection.Fd);
        connection.Socket.Dispose();
        Guard(() => _computation.Lost(connection), null);
    }

    /// <summary>Somebody is there who knows the token.</summary>
    private static bool IsUsed(Connection connection)
        => connection.State is ConnectionState.Proved or ConnectionState.Member or ConnectionState.Command;

    /// <summary>What it was started for will not be: its user hears of that when the port is free for the next attempt.</summary>
    private void LeaveWhenUnneeded()
    {
        if (_isUnneeded || !_options.ExitOnLast || !_computation.IsUnneeded) return;
        if (_computation.Absentees.Count > 0 || _connections.Values.Any(IsUsed)) return;
        _isUnneeded = true;
        Leaving?.Invoke();
        _listeners.Dispose();
    }

    private bool MayEnd(out string reason)
    {
        reason = "";
        bool isAllSent = _connections.Values.All(connection => connection.QueuedBytes == 0);
        if (_computation.QuitRequested && isAllSent) reason = "a command said so";
        else if (_isUnneeded && isAllSent) reason = "what it was started for has not come about";
        else if (_isAbandoned) reason = "the last process has left";
        return reason.Length > 0;
    }
}
