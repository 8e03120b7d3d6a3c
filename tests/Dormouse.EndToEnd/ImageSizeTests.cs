using Dormouse.EndToEnd.Harness;
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
}
