using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>A fifo that one end of is open: whether anything is lost depends on who has the other.</summary>
internal sealed class FifoTests
{
    private const string Script = """
        import os, time
        os.mkfifo("fifo")
        reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        with open("fifo", "w") as writer: writer.write("later")
        assert os.read(reader, 10) == b"later" and os.read(reader, 10) == b""
        print("ok")
        """;

    private static readonly Sample s_sample = new("fifo", "/usr/bin/python3", "-c", Script);

    [Test, CancelAfter(60_000)]
    public async Task NobodyHasWrittenYet_IsNoLoss_AndAWriterFindsItAfterTheRestart(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        Assert.That(report.Images.Single().Losses, Has.None.Contain("/fifo"));
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(s_sample, token);
    }

    [Test, CancelAfter(60_000)]
    public async Task AWriterOutside_IsNamed(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        using (File.OpenWrite(Path.Combine(program.Work, "fifo")))
        {
            CheckpointReport report = await program.CheckpointAsync(token);
            Assert.That(report.Images.Single().Losses, Has.Some.Matches("/fifo.* not held by any process of the computation"));
        }

        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(s_sample, token);
    }
}
