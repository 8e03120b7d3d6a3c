using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Dormouse.EndToEnd.Harness;

/// <summary>
/// Finds the processes of one test by a variable that each of them has in its environment, whatever its parent, session or
/// namespace: also those that were woken, because the environment lies in their memory.
/// </summary>
internal static partial class ComputationProcesses
{
    private const int SIGKILL = 9;

    /// <summary>PIDs, as this host counts them, of the living processes with NAME=VALUE in their environment.</summary>
    public static List<int> With(string variable)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(variable + "\0");
        List<int> found = [];
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out int pid) || pid == Environment.ProcessId) continue;
            try
            {
                // Empty for zombies and kernel threads.
                if (File.ReadAllBytes($"{directory}/environ").AsSpan().IndexOf(wanted) >= 0) found.Add(pid);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile, or is somebody else's.
            }
        }

        return found;
    }

    /// <summary>SIGKILL to each, again while new ones appear, until their parents have seen it and the PIDs are free.</summary>
    public static async Task KillAllAsync(string variable, Func<int, bool> except, CancellationToken token)
    {
        Stopwatch watch = Stopwatch.StartNew();
        HashSet<int> dying = [];
        do
        {
            List<int> alive = With(variable).FindAll(pid => !except(pid));
            foreach (int pid in alive) _ = Kill(pid, SIGKILL);
            dying.RemoveWhere(pid => !Directory.Exists($"/proc/{pid}"));
            dying.UnionWith(alive);
            if (watch.Elapsed > TimeSpan.FromSeconds(20)) throw new TimeoutException($"processes do not die: {string.Join(' ', dying)}");
            if (dying.Count > 0) await Task.Delay(5, token).ConfigureAwait(false);
        }
        while (dying.Count > 0);
    }

    /// <summary>kill(2) for one process.</summary>
    public static void KillOne(int pid) => _ = Kill(pid, SIGKILL);

    /// <summary>kill(2).</summary>
    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int pid, int signal);
}
