using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>The kernel lets the buffers of a busy TCP connection become large; a new connection begins with small ones.</summary>
internal sealed class FullConnectionTests
{
    private const string Script = """
        import hashlib, os, socket, threading, time
        listener = socket.create_server(("127.0.0.1", 0))
        writer = socket.create_connection(listener.getsockname())
        reader = listener.accept()[0]

        def busy(count):
            while count > 0: count -= len(reader.recv(1 << 20))

        thread = threading.Thread(target=busy, args=(400 << 20,))
        thread.start()
        for _ in range(400): writer.sendall(bytes(1 << 20))
        thread.join()

        writer.setblocking(False)
        sent, digest, quiet = 0, hashlib.sha256(), 0
        while quiet < 20:
            piece = b"%15d\n" % sent * 4096
            try:
                count = writer.send(piece)
                digest.update(piece[:count])
                sent, quiet = sent + count, 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.01)
        size = reader.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)

        now = reader.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        got = hashlib.sha256()
        writer.setblocking(True)
        writer.shutdown(socket.SHUT_WR)
        while piece := reader.recv(1 << 20): got.update(piece)
        assert got.digest() == digest.digest(), f"of {sent} bytes some are lost or others"
        assert now <= 2 * size, f"the receive buffer of {size} bytes has become {now}"
        print("ok")
        """;

    [Test, CancelAfter(120_000)]
    public async Task WhatIsInLargeBuffers_ComesBack_AndThenBuffersAreNoLarger(CancellationToken token)
    {
        await CheckpointedProgram.RunCyclesAsync(new Sample("full", "/usr/bin/python3", "-c", Script), RunMode.User, cycles: 4, token);
    }
}
