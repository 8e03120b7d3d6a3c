using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Unmodified MPI programs under mpirun on one host: put to sleep at random moments while they communicate; the result
/// is, bit by bit, that of an undisturbed run.</summary>
/// <remarks>One at a time: Open MPI takes the lowest free ports from 1024 on, and a second job of the host has them at the restart.</remarks>
[Parallelizable(ParallelScope.None)]
internal sealed class MpiTests
{
    private static readonly string[] s_kinds = ["openmpi", "mpich"];
    private static readonly (int Ranks, string Program)[] s_jobs = [(2, "ring"), (4, "allreduce"), (4, "stencil"), (4, "stencil-openmp")];

    [Test, CancelAfter(600_000)]
    public async Task TwentyRandomMoments_EndAsOneRun(
        [ValueSource(nameof(s_kinds))] string mpi, [ValueSource(nameof(s_jobs))] (int Ranks, string Program) job, CancellationToken token)
        => await RunAsync(AllSamples.Mpi(mpi, job.Ranks, job.Program), RunMode.User, cycles: 5, checkpointsPerCycle: 4, token);

    [Test, CancelAfter(300_000)]
    public async Task FiveCycles_AsRoot_EndAsOneRun([ValueSource(nameof(s_kinds))] string mpi, CancellationToken token)
        => await RunAsync(AllSamples.Mpi(mpi, 4, "stencil"), RunMode.Root, cycles: 5, checkpointsPerCycle: 1, token);

    [Test, CancelAfter(300_000)]
    public async Task Restart_WithoutPod_EndsAsOneRun([ValueSource(nameof(s_kinds))] string mpi, CancellationToken token)
        => await RunAsync(AllSamples.Mpi(mpi, 4, "ring"), RunMode.RootNoPod, cycles: 1, checkpointsPerCycle: 1, token);

    [Test, Explicit("takes minutes"), Category("soak"), CancelAfter(3_600_000)]
    public async Task ManyCycles_EndAsOneRun([ValueSource(nameof(s_kinds))] string mpi, CancellationToken token)
    {
        Sample sample = AllSamples.Mpi(mpi, 4, "stencil");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        Soak soak = new(sample.Name);

        for (int cycle = 0; cycle < Soak.Cycles(100); cycle++) await soak.CycleAsync(program, token);

        await program.AssertContentAsync(sample, token);
        soak.Report();
    }

    [Test, Explicit("takes minutes"), Category("soak"), CancelAfter(3_600_000)]
    public async Task TwentyRandomMoments_OfAnyJob_EndAsOneRun(
        [ValueSource(nameof(s_kinds))] string mpi, [Values(2, 4)] int ranks, [Values("ring", "allreduce", "stencil", "stencil-openmp")] string program,
        CancellationToken token)
        => await RunAsync(AllSamples.Mpi(mpi, ranks, program), RunMode.User, cycles: 5, checkpointsPerCycle: 4, token);

    private static async Task RunAsync(Sample sample, RunMode mode, int cycles, int checkpointsPerCycle, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, mode, token);
        await program.WaitForOutputAsync("ready", token);

        for (int cycle = 0; cycle < cycles; cycle++)
        {
            for (int checkpoint = 0; checkpoint < checkpointsPerCycle; checkpoint++)
            {
                await program.RunForRandomTimeAsync(token);
                await program.CheckpointAsync(token);
            }

            await program.RunForRandomTimeAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.RunForRandomTimeAsync(token);
        await program.AssertContentAsync(sample, token);
    }
}
