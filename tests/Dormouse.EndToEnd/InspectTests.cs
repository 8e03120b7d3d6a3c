using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>dmcommand --inspect: an image in words.</summary>
internal sealed class InspectTests
{
    [Test, CancelAfter(120_000)]
    public async Task Parent_IsNamedFromTheOtherImages_AndNothingIsSaidWithoutThem(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync("process-tree", token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        string first = report.Images.MinBy(image => image.Pid)!.Path, last = report.Images.MaxBy(image => image.Pid)!.Path;

        Assert.That(await ParentLineAsync(program, last, token), Does.Match(@"parent: +\d+ \(process-tree, number \d+\)$"));
        Assert.That(await ParentLineAsync(program, first, token), Does.Match(@"parent: +\d+ \(not in the computation\)$"));
        string alone = Path.Combine(program.DirectoryPath, Path.GetFileName(last));
        File.Move(last, alone);
        Assert.That(await ParentLineAsync(program, alone, token), Does.Match(@"parent: +\d+$"));
        await program.AssertContentAsync(new("process-tree", "process-tree"), token);
    }

    private static async Task<string> ParentLineAsync(CheckpointedProgram program, string image, CancellationToken token)
    {
        ToolResult result = await program.TryCommandAsync(token, "--inspect", image);
        return result.Output.Split('\n').Single(line => line.StartsWith("parent:", StringComparison.Ordinal));
    }
}
