using System.Net;
using Dormouse.Coordinator.Host;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Ssh;

/// <summary>The TCP connection of two relays: made by the remote side, and both prove that they know the token.</summary>
internal static class RelayLink
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_each = TimeSpan.FromSeconds(5);

    /// <summary>The remote side proves itself at once; a stranger who says nothing must not use up its time.</summary>
    private static readonly TimeSpan s_proof = TimeSpan.FromSeconds(2);

    /// <summary>One for each kind of address that this host has: a connection then looks the same from both of its ends.</summary>
    public static IReadOnlyList<(RelaySocket Socket, IPAddress Any)> Listen()
        => [.. from any in new[] { IPAddress.Any, IPAddress.IPv6Any }
               let socket = RelaySocket.Listen(any)
               where socket is not null
               select (socket, any)];

    /// <summary>Waits for the remote side. Whoever else connects is sent away.</summary>
    /// <param name="isLost">Asked now and then: it will not come any more.</param>
    /// <returns>Null when it does not come.</returns>
    public static RelaySocket? Accept(IReadOnlyList<RelaySocket> listeners, byte[] token, byte[] session, Func<bool>? isLost = null)
    {
        DateTime until = DateTime.UtcNow + s_patience;
        while (DateTime.UtcNow < until)
        {
            if (RelaySocket.Accept(listeners, isLost is null ? until - DateTime.UtcNow : s_look, s_proof) is not { } socket)
            {
                if (isLost?.Invoke() == true) return null;
                continue;
            }

            byte[] hello = new byte[TokenProof.NonceBytes + TokenProof.ProofBytes];
            if (socket.TryReceive(hello))
            {
                byte[] nonce = hello[..TokenProof.NonceBytes];
                if (TokenProof.Matches(TokenProof.Client(token, session, nonce, Role.Command), hello.AsSpan(TokenProof.NonceBytes))
                    && socket.TrySend(TokenProof.Server(token, nonce, session)))
                {
                    socket.WaitForEver();
                    return socket;
                }
            }

            socket.Dispose();
        }

        return null;
    }

    /// <summary>Tries one address after the other.</summary>
    /// <param name="problem">Why none will do.</param>
    public static RelaySocket? Connect(IEnumerable<IPEndPoint> endpoints, byte[] token, byte[] session, out string problem)
    {
        problem = "it was given no address";
        foreach (IPEndPoint endpoint in endpoints)
        {
            if (Reach(endpoint) is not { } socket)
            {
                problem = $"{endpoint} does not answer";
                continue;
            }

            byte[] nonce = RandomBytes.Take(TokenProof.NonceBytes);
            byte[] answer = new byte[TokenProof.ProofBytes];
            if (socket.TrySend([.. nonce, .. TokenProof.Client(token, session, nonce, Role.Command)]) && socket.TryReceive(answer)
                && TokenProof.Matches(TokenProof.Server(token, nonce, session), answer))
            {
                socket.WaitForEver();
                return socket;
            }

            problem = $"{endpoint} is somebody else";
            socket.Dispose();
        }

        return null;
    }

    /// <summary>A connection to this endpoint, or null.</summary>
    public static RelaySocket? Reach(IPEndPoint endpoint) => RelaySocket.Connect(endpoint, s_each);
}
