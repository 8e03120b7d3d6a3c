using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>The same again and again, until something breaks. Started by ./run soak; the MPI jobs are in <see cref="MpiTests"/>.</summary>
[Category("soak"), Explicit("takes minutes to hours")]
internal sealed class SoakTests
{
    [TestCase("threads"), TestCase("storm"), TestCase("chain"), TestCase("threads-200"), TestCase("churn"), TestCase("process-tree")]
    [TestCase("shared-memory"), TestCase("waits"), TestCase("exec-children"), TestCase("big-writes"), TestCase("roll-back"), TestCase("python-sqlite"), TestCase("python-sqlite-wal")]
    [CancelAfter(3_600_000)]
    public async Task ManyCycles_OfOneSample(string name, CancellationToken token)
    {
        Sample sample = AllSamples.OfOneProcessTree.Single(one => one.Name == name);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        Soak soak = new(name);

        for (int cycle = 0; cycle < Soak.Cycles(300); cycle++) await soak.CycleAsync(program, token);

        await program.AssertContentAsync(sample, token);
        soak.Report();
    }

    [Test, CancelAfter(3_600_000)]
    public async Task TwoGibibytes_ComeBack(CancellationToken token)
    {
        Sample sample = new("large-2048", "large", "2048") { HasChecksum = true };
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        Soak soak = new(sample.Name);

        for (int cycle = 0; cycle < 5; cycle++) await soak.CycleAsync(program, token);

        await program.AssertContentAsync(sample, token);
        soak.Report();
    }
}
