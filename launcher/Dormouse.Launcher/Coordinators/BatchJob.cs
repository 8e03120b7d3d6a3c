namespace Dormouse.Launcher.Coordinators;

/// <summary>
/// The batch job that this process belongs to, by the variables with which batch systems tell it: several jobs of a user that run on one
/// host at the same time are several computations, without a word from the user.
/// </summary>
internal static class BatchJob
{
    /// <summary>Variables that together name a job (an element of an array is one), with the system's name. All must be there.</summary>
    private static readonly (string System, string[] Variables)[] s_systems =
    [
        ("Slurm", ["SLURM_JOB_ID"]),
        ("PBS", ["PBS_JOBID"]),
        ("LSF", ["LSB_JOBID", "LSB_JOBINDEX"]),
        ("LSF", ["LSB_JOBID"]),
        ("Grid Engine", ["JOB_ID", "SGE_TASK_ID"]),
        ("Flux", ["FLUX_JOB_ID"]),
    ];

    /// <summary>Such as "Slurm job 4711"; empty: in no job.</summary>
    public static string Own { get; } = Name(Environment.GetEnvironmentVariable);

    private static string Name(Func<string, string?> variable)
    {
        foreach ((string system, string[] variables) in s_systems)
        {
            string[] values = Array.ConvertAll(variables, name => variable(name) ?? "");
            if (Array.TrueForAll(values, value => value.Length > 0)) return $"{system} job {string.Join('.', values)}";
        }

        return "";
    }
}
