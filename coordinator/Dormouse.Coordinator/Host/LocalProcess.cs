namespace Dormouse.Coordinator.Host;

/// <summary>Questions about a process of this host.</summary>
public static class LocalProcess
{
    /// <summary>Whether the very process that had this PID and start time is alive: a zombie is not.</summary>
    /// <remarks>Fields 3 and 22 of proc_pid_stat(5); field 2, the name in parentheses, may hold spaces and parentheses itself.</remarks>
    public static bool IsAlive(int pid, ulong startTime)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is not ("Z" or "X") && ulong.Parse(fields[19]) == startTime;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
