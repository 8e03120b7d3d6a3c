using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>What an image does not have to hold.</summary>
internal sealed class ImageSizeTests
{
    private const long Mebibyte = 1 << 20;

    [Test, CancelAfter(120_000)]
    public async Task ZerosThatWereTouched_AreLeftOut_AndComeBack(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync("zeros", token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        // 64 MiB, of which 43 blocks of 64 KiB are not zero.
        Assert.That(new FileInfo(report.Images.Single().Path).Length, Is.LessThan(5 * Mebibyte));
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(new("zeros", "zeros"), token);
    }

    [Test, CancelAfter(120_000)]
    public async Task SystemVMemoryThatWasNotTouched_IsInNoImage_AlsoNotAfterARestart(CancellationToken token)
    {
        const string Script = """
            import ctypes, os, time
            libc = ctypes.CDLL(None)
            libc.shmat.restype = ctypes.c_void_p
            segment = libc.shmget(0, ctypes.c_size_t(256 << 20), 0o1600)
            memory = libc.shmat(segment, None, 0)
            libc.shmctl(segment, 0, None)
            ctypes.memset(memory + (100 << 20), 7, 10000)
            print("ready", flush=True)
            while not os.path.exists(os.environ["SAMPLE_STOP"]):
                time.sleep(0.01)
            print("ok" if ctypes.string_at(memory, 256 << 20).strip(b"\0") == b"\7" * 10000 else "not ok")
            """;
        Sample sample = new("segment", "/usr/bin/python3", "-c", Script);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        CheckpointReport second = await program.CheckpointAsync(token);
        Assert.That(new FileInfo(second.Images.Single().Path).Length, Is.LessThan(20 * Mebibyte));
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }
}
