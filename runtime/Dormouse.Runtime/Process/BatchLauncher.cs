// World: Guest.
namespace Dormouse.Runtime.Process;

/// <summary>
/// srun, whose programs are children of Slurm's daemons: they are on the nodes without being in the computation, and a woken srun would
/// have nobody to talk to. mpirun uses it by itself within an allocation (Open MPI on several nodes, MPICH on one, too).
/// </summary>
internal static class BatchLauncher
{
    /// <exception cref="CheckpointException">This process is one.</exception>
    public static void Check(string executable)
    {
        if (executable.EndsWith("/srun", StringComparison.Ordinal))
        {
            throw new CheckpointException("its programs are started by Slurm's daemons, outside of the computation, and no image would hold them. " +
                "Let mpirun use ssh (before dmlaunch: export OMPI_MCA_plm=rsh HYDRA_LAUNCHER=ssh), or start each program by srun dmlaunch -j.");
        }
    }
}
