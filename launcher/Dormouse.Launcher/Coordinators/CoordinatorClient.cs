using System.Net;
using System.Net.Sockets;
using Dormouse.Coordinator.Host;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Coordinators;

/// <summary>A command's connection to a coordinator: blocking, one question at a time.</summary>
internal sealed class CoordinatorClient : IDisposable
{
    private static readonly TimeSpan s_handshake = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly FrameBuffer _incoming = new();

    private CoordinatorClient(Socket socket, CoordinatorAddress address) => (_socket, Address) = (socket, address);

    public CoordinatorAddress Address { get; }

    /// <summary>The coordinator was started just now, by this process.</summary>
    public bool IsNew { get; init; }

    /// <summary>The computation that the coordinator has.</summary>
    public ulong Computation { get; private set; }

    /// <summary>Descriptor of the connection, which stays this object's.</summary>
    public int Descriptor => (int)_socket.Handle;

    /// <summary>Connects, and both sides prove that they know the token.</summary>
    /// <exception cref="ToolException">Nobody answers (<see cref="ExitCode.NoCoordinator"/>), or not with our token (<see cref="ExitCode.Refused"/>).</exception>
    public static CoordinatorClient Connect(CoordinatorAddress address, bool isNew = false)
    {
        Socket socket = new(address.Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        // The kernel's own SO_REUSEADDR: programs share the port, and must be able to bind it when this connection has ended (TIME_WAIT).
        socket.SetRawSocketOption(1 /* SOL_SOCKET */, 2 /* SO_REUSEADDR */, BitConverter.GetBytes(1));
        try
        {
            try
            {
                socket.Connect(address.Endpoint);
                // Nobody listens, and the kernel gave us the very port that we look for: we are connected to ourselves.
                if (address.Endpoint.Equals(socket.LocalEndPoint)) throw new SocketException((int)SocketError.ConnectionRefused);
            }
            catch (SocketException problem)
            {
                throw new ToolException(ExitCode.NoCoordinator, $"No coordinator answers at {address.Endpoint} ({problem.SocketErrorCode}). Start one with dmlaunch or dmcoordinator.");
            }

            CoordinatorClient client = new(socket, address) { IsNew = isNew };
            client.Prove();
            return client;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Send<T>(in T message)
        where T : struct, IMessage<T>
    {
        MessageWriter writer = new(256);
        Frame.Append(ref writer, message);
        SendAll(writer.Written);
    }

    /// <summary>Waits for the next message, without a deadline: a checkpoint takes as long as it takes.</summary>
    /// <exception cref="ToolException">The connection ends.</exception>
    public FrameKind Receive(out ReadOnlySpan<byte> payload)
    {
        FrameKind kind;
        while (!_incoming.TryTake(out kind, out payload))
        {
            int count;
            try
            {
                count = _socket.Receive(_incoming.Space(4096).Span, SocketFlags.None);
            }
            catch (SocketException problem)
            {
                throw Ended(problem.SocketErrorCode.ToString());
            }

            if (count == 0) throw Ended("it closed the connection");
            _incoming.Advance(count);
        }

        return kind;
    }

    /// <summary>Waits for this answer; <see cref="CommandFailed"/> becomes an exception with its exit code.</summary>
    public T Expect<T>()
        where T : struct, IMessage<T>
    {
        FrameKind kind = Receive(out ReadOnlySpan<byte> payload);
        if (kind == T.Kind) return Frame.Read<T>(payload);
        throw Unexpected(kind, payload);
    }

    /// <summary>Waits until the coordinator has gone, for a moment.</summary>
    public void AwaitEnd()
    {
        _socket.ReceiveTimeout = (int)s_handshake.TotalMilliseconds;
        try
        {
            while (_socket.Receive(_incoming.Space(4096).Span, SocketFlags.None) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // It is gone, too, or takes its time.
        }
    }

    /// <summary>What an answer that is none of the expected ones means for the user.</summary>
    public static ToolException Unexpected(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (kind == FrameKind.Refused) return new ToolException(ExitCode.Refused, Frame.Read<Refused>(payload).Reason);
        if (kind != FrameKind.CommandFailed) return new ToolException(ExitCode.Failed, $"The coordinator answers with {kind}, which makes no sense here. Use the same version of Dormouse everywhere.");
        CommandFailed failed = Frame.Read<CommandFailed>(payload);
        int exitCode = failed.Failure switch
        {
            FailureKind.NothingAttached => ExitCode.NothingAttached,
            FailureKind.Busy => ExitCode.Busy,
            _ => ExitCode.Failed,
        };
        return new ToolException(exitCode, failed.Reason);
    }

    public void Dispose() => _socket.Dispose();

    private void Prove()
    {
        if (!TokenProof.TryParseToken(Address.Token, out byte[] token))
            throw new ToolException(ExitCode.Refused, "The token is not 64 hex digits. Set DORMOUSE_TOKEN to the one that the coordinator was started with.");
        _socket.ReceiveTimeout = (int)s_handshake.TotalMilliseconds;
        try
        {
            _incoming.MaximumPayloadBytes = Frame.MaximumHandshakeBytes;
            ServerHello server = Expect<ServerHello>();
            byte[] nonce = RandomBytes.Take(TokenProof.NonceBytes);
            Send(new ClientHello(Role.Command, nonce, TokenProof.Client(token, server.Nonce, nonce, Role.Command)));
            CommandWelcome welcome = Expect<CommandWelcome>();
            if (!TokenProof.Matches(TokenProof.Server(token, nonce, server.Nonce), welcome.Proof))
                throw new ToolException(ExitCode.Refused, $"What listens at {Address.Endpoint} does not know the token: it is not your coordinator.");
            Computation = welcome.Computation;
            Send(new CommandHello(OwnHost.Id, Environment.ProcessId));
        }
        catch (ProtocolException)
        {
            throw new ToolException(ExitCode.Refused, $"What listens at {Address.Endpoint} is no coordinator of this version of Dormouse.");
        }

        _incoming.MaximumPayloadBytes = Frame.MaximumPayloadBytes;
        _socket.ReceiveTimeout = 0;
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[_socket.Send(bytes, SocketFlags.None)..];
        }
        catch (SocketException problem)
        {
            throw Ended(problem.SocketErrorCode.ToString());
        }
    }

    private ToolException Ended(string why)
        => new(ExitCode.NoCoordinator, $"The connection to the coordinator at {Address.Endpoint} ended ({why}). Its log says more; the program goes on.");
}

/// <summary>Where a coordinator listens, and the token to show it.</summary>
internal sealed record CoordinatorAddress(IPEndPoint Endpoint, string Token);
