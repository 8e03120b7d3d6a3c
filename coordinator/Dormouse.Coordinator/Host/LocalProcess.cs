namespace Dormouse.Coordinator.Host;

/// <summary>Questions about a process of this host.</summary>
/// <remarks>Fields 3 and 22 of proc_pid_stat(5); field 2, the name in parentheses, may hold spaces and parentheses itself.</remarks>
public static class LocalProcess
{
    /// <summary>Whether the very process that had this PID and start time is alive: a zombie is not.</summary>
    public static bool IsAlive(int pid, ulong startTime)
    {
        try
        {
            string[] fields = FieldsFromState(pid.ToString());
            return fields[0] is not ("Z" or "X") && ulong.Parse(fields[19]) == startTime;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Stopped by a signal, as ^Z does it, or by a debugger: state T or t.</summary>
    public static bool IsStopped(int pid) => State(pid) is "T" or "t";

    /// <summary>Clock ticks since boot, as the kernel tells it of this process.</summary>
    public static ulong OwnStartTime() => ulong.Parse(FieldsFromState("self")[19]);

    /// <summary>No process has the number, or nobody has waited yet for the one that had it.</summary>
    public static bool HasEnded(int pid) => State(pid) is "" or "Z" or "X";

    private static string State(int pid)
    {
        try
        {
            return FieldsFromState(pid.ToString())[0];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string[] FieldsFromState(string process)
    {
        string stat = File.ReadAllText($"/proc/{process}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }
}
