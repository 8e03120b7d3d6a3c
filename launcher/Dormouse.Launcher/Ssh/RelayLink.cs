using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Ssh;

/// <summary>The TCP connection of two relays: made by the remote side, and both prove that they know the token.</summary>
internal static class RelayLink
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_each = TimeSpan.FromSeconds(5);

    /// <summary>Waits for the remote side. Whoever else connects is sent away.</summary>
    /// <returns>Null when it does not come.</returns>
    public static Socket? Accept(IReadOnlyList<Socket> listeners, byte[] token, byte[] session)
    {
        DateTime until = DateTime.UtcNow + s_patience;
        for (; ; )
        {
            List<Socket> ready = [.. listeners];
            Socket.Select(ready, null, null, until - DateTime.UtcNow is { Ticks: > 0 } left ? left : TimeSpan.Zero);
            if (ready.Count == 0) return null;
            Socket socket = Prepared(ready[0].Accept());
            byte[] hello = new byte[TokenProof.NonceBytes + TokenProof.ProofBytes];
            if (TryReceive(socket, hello))
            {
                byte[] nonce = hello[..TokenProof.NonceBytes];
                if (TokenProof.Matches(TokenProof.Client(token, session, nonce, Role.Command), hello.AsSpan(TokenProof.NonceBytes)))
                {
                    socket.Send(TokenProof.Server(token, nonce, session));
                    return socket;
                }
            }

            socket.Dispose();
        }
    }

    /// <summary>Tries one address after the other.</summary>
    /// <param name="problem">Why none will do.</param>
    public static Socket? Connect(IEnumerable<IPEndPoint> endpoints, byte[] token, byte[] session, out string problem)
    {
        problem = "it has no address";
        foreach (IPEndPoint endpoint in endpoints)
        {
            if (Reach(endpoint) is not { } socket)
            {
                problem = $"{endpoint} does not answer";
                continue;
            }

            byte[] nonce = RandomNumberGenerator.GetBytes(TokenProof.NonceBytes);
            byte[] answer = new byte[TokenProof.ProofBytes];
            socket.Send([.. nonce, .. TokenProof.Client(token, session, nonce, Role.Command)]);
            if (TryReceive(socket, answer) && TokenProof.Matches(TokenProof.Server(token, nonce, session), answer)) return socket;
            problem = $"{endpoint} is somebody else";
            socket.Dispose();
        }

        return null;
    }

    /// <summary>A connection to this endpoint, or null.</summary>
    public static Socket? Reach(IPEndPoint endpoint)
    {
        Socket socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            try
            {
                socket.Connect(endpoint);
            }
            catch (SocketException pending) when (pending.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                if (!socket.Poll(s_each, SelectMode.SelectWrite) || socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is not 0)
                {
                    socket.Dispose();
                    return null;
                }
            }

            return Prepared(socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private static Socket Prepared(Socket socket)
    {
        socket.Blocking = true;
        socket.NoDelay = true;
        socket.ReceiveTimeout = (int)s_each.TotalMilliseconds;
        return socket;
    }

    private static bool TryReceive(Socket socket, Span<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                int count = socket.Receive(bytes, SocketFlags.None);
                if (count == 0) return false;
                bytes = bytes[count..];
            }

            // The relay waits as long as it takes.
            socket.ReceiveTimeout = 0;
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
