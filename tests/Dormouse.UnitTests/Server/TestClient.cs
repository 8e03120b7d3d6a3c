using System.Net;
using System.Net.Sockets;
using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.Server;

/// <summary>A connection to a coordinator that can behave well or badly.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly FrameBuffer _incoming = new();
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public static async Task<TestClient> ConnectAsync(int port, CancellationToken token, int? receiveBufferBytes = null)
    {
        TestClient client = new();
        if (receiveBufferBytes is { } bytes) client._socket.ReceiveBufferSize = bytes;
        await client._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), token);
        return client;
    }

    /// <summary>Connects and proves that it knows the token.</summary>
    public static async Task<TestClient> OpenAsync(RunningCoordinator coordinator, Role role, CancellationToken token, byte[]? secret = null, int? receiveBufferBytes = null)
    {
        TestClient client = await ConnectAsync(coordinator.Port, token, receiveBufferBytes);
        ServerHello server = (await client.ReceiveAsync(token))!.As<ServerHello>();
        byte[] nonce = new byte[TokenProof.NonceBytes];
        await client.SendAsync(new ClientHello(role, nonce, TokenProof.Client(secret ?? coordinator.Token, server.Nonce, nonce, role)), token);
        client.ExpectedProof = TokenProof.Server(coordinator.Token, nonce, server.Nonce);
        return client;
    }

    public byte[] ExpectedProof { get; private set; } = [];

    public async Task SendAsync<T>(T message, CancellationToken token)
        where T : struct, IMessage<T>
    {
        MessageWriter writer = new(64);
        Frame.Append(ref writer, message);
        await SendBytesAsync(writer.Written.ToArray(), token);
    }

    public async Task SendBytesAsync(byte[] bytes, CancellationToken token)
    {
        for (int sent = 0; sent < bytes.Length;) sent += await _socket.SendAsync(bytes.AsMemory(sent), token);
    }

    /// <returns>Null: the coordinator has closed the connection.</returns>
    public async Task<ReceivedFrame?> ReceiveAsync(CancellationToken token)
    {
        while (true)
        {
            if (TryTake() is { } frame) return frame;
            int count;
            try
            {
                count = await _socket.ReceiveAsync(_incoming.Space(4096), token);
            }
            catch (SocketException problem) when (problem.SocketErrorCode == SocketError.ConnectionReset)
            {
                return null;
            }

            if (count == 0) return null;
            _incoming.Advance(count);
        }
    }

    /// <summary>Behaves as a member until the connection ends.</summary>
    public async Task PlayAsync(MemberScript script, CancellationToken token)
    {
        await SendAsync(script.Hello, token);
        while (await ReceiveAsync(token) is { } frame)
        {
            byte[] answers = Answers(script, frame);
            if (answers.Length > 0) await SendBytesAsync(answers, token);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static byte[] Answers(MemberScript script, ReceivedFrame frame)
    {
        MessageWriter writer = new(64);
        script.Respond(frame, ref writer);
        return writer.Written.ToArray();
    }

    private ReceivedFrame? TryTake()
        => _incoming.TryTake(out FrameKind kind, out ReadOnlySpan<byte> payload) ? new ReceivedFrame(kind, payload.ToArray()) : null;
}
