using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>The same again and again, until something breaks. Started by ./run soak.</summary>
[Category("soak"), Explicit("takes minutes to hours")]
internal sealed class SoakTests
{
    [TestCase("threads"), TestCase("storm"), TestCase("chain"), TestCase("threads-200"), TestCase("shared-memory"), TestCase("waits")]
    [CancelAfter(3_600_000)]
    public async Task ManyCycles_OfOneSample(string name, CancellationToken token)
    {
        Sample sample = AllSamples.OfOneProcessTree.Single(one => one.Name == name);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int cycle = 0; cycle < Soak.Cycles(300); cycle++)
        {
            await program.RunForRandomTimeAsync(token);
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.AssertContentAsync(sample, token);
    }

    [Test, CancelAfter(3_600_000)]
    public async Task TwoGibibytes_ComeBack(CancellationToken token)
    {
        Sample sample = new("large-2048", "large", "2048") { HasChecksum = true };
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int cycle = 0; cycle < 5; cycle++)
        {
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.AssertContentAsync(sample, token);
    }
}
