using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Every sample goes through every scenario.</summary>
internal sealed class SampleMatrixTests
{
    private static readonly TimeSpan s_while = TimeSpan.FromMilliseconds(150);

    [TestCaseSource(nameof(ForEverybody)), CancelAfter(120_000)]
    public async Task Resume_AfterCheckpoint_GoesOnUnharmed(Sample sample, RunMode mode, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(sample, token);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, mode, token);
        await program.WaitForOutputAsync("ready", token);

        for (int time = 0; time < 3; time++)
        {
            await program.CheckpointAsync(token);
            await CheckpointedProgram.RunForAsync(s_while, token);
        }

        await program.AssertContentAsync(sample, token);
    }

    [TestCaseSource(nameof(ForAll)), CancelAfter(120_000)]
    public async Task Restart_GoesOnWhereItWas(Sample sample, RunMode mode, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(sample, token);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, mode, token);
        await program.WaitForOutputAsync("ready", token);

        await program.CheckpointAsync(token);
        await CheckpointedProgram.RunForAsync(s_while, token);
        await program.KillAsync(token);
        await program.RestartAsync(token);
        await CheckpointedProgram.RunForAsync(s_while, token);

        await program.AssertContentAsync(sample, token);
    }

    [TestCaseSource(nameof(ForEverybody)), CancelAfter(120_000)]
    public async Task RestartTwice_FromTheSameImages_GoesOnWhereItWas(Sample sample, RunMode mode, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(sample, token);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, mode, token);
        await program.WaitForOutputAsync("ready", token);

        await program.CheckpointAsync(token);
        for (int time = 0; time < 2; time++)
        {
            await program.KillAsync(token);
            await program.RestartAsync(token);
            await CheckpointedProgram.RunForAsync(s_while, token);
        }

        await program.AssertContentAsync(sample, token);
    }

    [TestCaseSource(nameof(ForEverybody)), CancelAfter(120_000)]
    public async Task Restart_FromMovedImages_InAnotherDirectory_GoesOnWhereItWas(Sample sample, RunMode mode, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(sample, token);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, mode, token);
        await program.WaitForOutputAsync("ready", token);

        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        string elsewhere = Path.Combine(program.Images, "moved", "elsewhere");
        Directory.CreateDirectory(elsewhere);
        string[] images = [.. report.Images.Select(image => Path.Combine(elsewhere, Path.GetFileName(image.Path))).Reverse()];
        foreach (ImageReport image in report.Images) File.Move(image.Path, Path.Combine(elsewhere, Path.GetFileName(image.Path)));
        await program.RestartAsync(images, "/", token);

        await program.AssertContentAsync(sample, token);
    }

    [TestCaseSource(nameof(ForRootToo)), CancelAfter(240_000)]
    public async Task FiveCycles_OfCheckpointAndRestart_EndAsOneRun(Sample sample, RunMode mode, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(sample, token);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, mode, token);
        await program.WaitForOutputAsync("ready", token);

        for (int cycle = 0; cycle < 5; cycle++)
        {
            await program.CheckpointAsync(token);
            await program.KillAsync(token);
            await program.RestartAsync(token);
            await CheckpointedProgram.RunForAsync(s_while, token);
        }

        await program.AssertContentAsync(sample, token);
    }

    // The default run must stay short on two cores: every sample goes through five cycles, some through every scenario.
    // DORMOUSE_ALL_TESTS=1 runs the whole matrix.
    private static readonly string[] s_everywhere = ["hello", "threads", "process-tree", "pipes-unread", "unix-sockets", "python-loop"];

    private static bool IsWholeMatrix => Environment.GetEnvironmentVariable("DORMOUSE_ALL_TESTS") == "1";

    private static IEnumerable<TestCaseData> ForEverybody() => Cases(onlySome: true, RunMode.User);

    private static IEnumerable<TestCaseData> ForRootToo() => Cases(onlySome: false, RunMode.User, RunMode.Root);

    private static IEnumerable<TestCaseData> ForAll() => Cases(onlySome: false, RunMode.User).Concat(Cases(onlySome: true, RunMode.RootNoPod));

    private static IEnumerable<TestCaseData> Cases(bool onlySome, params RunMode[] modes)
        => from sample in AllSamples.OfOneProcessTree
           where !onlySome || IsWholeMatrix || s_everywhere.Contains(sample.Name)
           from mode in modes
           select new TestCaseData(sample, mode).SetArgDisplayNames(sample.Name, mode.Name);
}
