using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>The kernel lets the buffers of a busy TCP connection become large; a new connection begins with small ones.</summary>
internal sealed class FullConnectionTests
{
    private const string Script = """
        import hashlib, os, socket, sys, threading, time
        listener = socket.create_server(("127.0.0.1", 0))
        writer = socket.create_connection(listener.getsockname())
        reader = listener.accept()[0]
        size = lambda: reader.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

        def busy(count):
            while count > 0: count -= len(reader.recv(1 << 20))

        def grow():
            thread = threading.Thread(target=busy, args=(400 << 20,))
            thread.start()
            for _ in range(400): writer.sendall(bytes(1 << 20))
            thread.join()

        most = int(open("/proc/sys/net/ipv4/tcp_rmem").read().split()[2])
        isDense = sys.argv[1] == "dense"
        grow()
        for _ in range(40):
            if isDense and size() < most: grow()

        # Acknowledged at once, segments are packed denser.
        writer.setblocking(False)
        sent, digest, quiet, mark = 0, hashlib.sha256(), 0, 0
        while quiet < 20:
            piece = b"%15d\n" % sent * (2048 if isDense else 4096)
            try:
                count = writer.send(piece)
                if isDense:
                    for mode in (0, 1): reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, mode)
                digest.update(piece[:count])
                sent, quiet = sent + count, 0
                if mark == 0 and sent > 1 << 20 and isDense:
                    writer.send(b"!", socket.MSG_OOB)
                    mark = sent
            except BlockingIOError:
                quiet += 1
                time.sleep(0.01)
        size_then = size()
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)

        size_now = size()
        got, count = hashlib.sha256(), 0
        writer.setblocking(True)
        writer.shutdown(socket.SHUT_WR)
        while piece := reader.recv(1 << 20):
            got.update(piece)
            count += len(piece)
            if count == mark:
                assert reader.recv(1, socket.MSG_OOB) == b"!"
                mark = -1
        assert got.digest() == digest.digest(), f"of {sent} bytes some are lost or others"
        assert mark <= 0, "the urgent byte is gone"
        assert size_now <= 2 * size_then, f"the receive buffer of {size_then} bytes has become {size_now}"
        print("ok")
        """;

    [Test, CancelAfter(120_000)]
    public async Task WhatIsInLargeBuffers_ComesBack_AndThenBuffersAreNoLarger(CancellationToken token)
        => await CheckpointedProgram.RunCyclesAsync(SampleOf("loose"), RunMode.User, cycles: 4, token);

    /// <summary>The receiver's buffer is as large as the kernel lets it be: what the sender has cannot be fetched there to be looked at.</summary>
    [Test, CancelAfter(120_000)]
    public async Task WhatIsInTheLargestBuffers_StaysThere_AndComesBack(CancellationToken token)
    {
        Sample sample = SampleOf("dense");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        for (int cycle = 0; cycle < 2; cycle++)
        {
            await program.CheckpointAsync(token);
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.CheckpointAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    private static Sample SampleOf(string kind) => new("full", "/usr/bin/python3", "-c", Script, kind);
}
