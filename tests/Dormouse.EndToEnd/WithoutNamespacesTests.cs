using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>An ordinary user where user namespaces are not allowed: process numbers cannot be chosen, and are waited for.</summary>
/// <remarks>Alone: while it is waited for a number, every process that another test starts may get it.</remarks>
[NonParallelizable]
internal sealed class WithoutNamespacesTests
{
    private const int Cycles = 2;

    private static readonly string[] s_few = ["threads", "process-tree", "attributes"];

    [TestCaseSource(nameof(Few)), CancelAfter(180_000)]
    public async Task Cycles_EndAsOneRun(Sample sample, CancellationToken token) => await RunAsync(sample, token);

    [TestCaseSource(nameof(Others)), Explicit("takes minutes"), Category("soak"), CancelAfter(300_000)]
    public async Task Cycles_OfAllOthers_EndAsOneRun(Sample sample, CancellationToken token) => await RunAsync(sample, token);

    [Test, CancelAfter(180_000)]
    public async Task OpenMpi_EndsAsOneRun(CancellationToken token) => await RunAsync(AllSamples.Mpi("openmpi", 4, "ring"), token);

    [Test, CancelAfter(60_000)]
    public async Task Restart_OfARunningComputation_IsRefused(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(AllSamples.Mpi("openmpi", 2, "ring"), RunMode.UserNoPod, token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        using RunningProcess restart = program.StartRestart([.. report.Images.Select(image => image.Path)], "/");
        Assert.That(await restart.ExitCodeAsync(token), Is.EqualTo(125), restart.Errors);
    }

    private static async Task RunAsync(Sample sample, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(sample, token);
        await CheckpointedProgram.RunCyclesAsync(sample, RunMode.UserNoPod, Cycles, token);
    }

    private static IEnumerable<TestCaseData> Few() => Cases(sample => s_few.Contains(sample.Name));

    // The ids of System V objects cannot be waited for.
    private static IEnumerable<TestCaseData> Others() => Cases(sample => !s_few.Contains(sample.Name) && sample.Name is not "shared-memory");

    private static IEnumerable<TestCaseData> Cases(Func<Sample, bool> isWanted)
        => from sample in AllSamples.OfOneProcessTree
           where isWanted(sample)
           select new TestCaseData(sample).SetArgDisplayNames(sample.Name);
}
