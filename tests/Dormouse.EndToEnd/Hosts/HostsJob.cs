using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>The end of an MPI job across hosts.</summary>
internal static class HostsJob
{
    private static readonly TimeSpan s_finalizeDeadline = TimeSpan.FromSeconds(20);

    /// <summary>Waits until the job has ended well.</summary>
    /// <remarks>
    /// MPICH 4.0 with UCX: a rank that waits for the others in MPI_Finalize no longer answers them; on a busy machine one job in twenty
    /// across hosts never ends because of that, without Dormouse as well (mended in MPICH 4.2, pmodels/mpich pull request 6596).
    /// Such a job counts as ended when it has said its last word.
    /// </remarks>
    /// <param name="deadline">How long it may work on; null: it has been told to end.</param>
    public static async Task EndAsync(HostGroup hosts, RunningProcess job, string mpi, CancellationToken token, TimeSpan? deadline = null)
    {
        Task<int> ended = job.ExitCodeAsync(token);
        if (mpi == "mpich")
        {
            await Condition.WaitAsync("the last word", () => (ended.IsCompleted || job.Output.Contains("ok checksum", StringComparison.Ordinal), job.Errors), deadline ?? CheckpointedProgram.Deadline, token);
            if (await Task.WhenAny(ended, Task.Delay(s_finalizeDeadline, token)) != ended)
            {
                await TestContext.Out.WriteLineAsync("The job stands in MPI_Finalize: a known defect of MPICH 4.0.");
                return;
            }
        }

        int exitCode = await ended;
        if (exitCode != 0) throw hosts.Failure($"the job ended with {exitCode}");
    }
}
