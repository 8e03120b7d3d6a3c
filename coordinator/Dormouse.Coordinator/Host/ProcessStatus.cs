using Dormouse.Coordinator.State;

namespace Dormouse.Coordinator.Host;

/// <summary>What proc_pid_status(5) tells of a process of this host at one moment.</summary>
/// <param name="State">The letter: T is stopped by a signal; t is traced, and so for a moment each time.</param>
/// <param name="Tracer">The process that traces it (ptrace(2): a debugger, strace), or 0.</param>
/// <param name="AnonymousBytes">What an image of it would have to hold at least.</param>
internal sealed record ProcessStatus(char State, int Tracer, ulong AnonymousBytes)
{
    private static readonly ProcessStatus s_ended = new('X', 0, 0);

    public bool IsStoppedBySignal => State == 'T';

    /// <summary>Of those that can be seen from here: members of this host, also in pods.</summary>
    public static Dictionary<Member, ProcessStatus> OfLocal(IEnumerable<Member> members)
    {
        Dictionary<Member, ProcessStatus> statuses = [];
        foreach (Member member in members)
        {
            if (member.HostPid is > 0 and int pid) statuses[member] = Read(pid);
        }

        return statuses;
    }

    public static ProcessStatus Read(int pid)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{pid}/status"));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return s_ended;
        }
    }

    /// <summary>"State:	S (sleeping)", "TracerPid:	0", "RssAnon:	    1234 kB"; a zombie has no memory and no line of it.</summary>
    public static ProcessStatus Parse(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> memory = Value(text, "RssAnon:");
        return new ProcessStatus(
            Value(text, "State:")[0], int.Parse(Value(text, "TracerPid:")), memory.IsEmpty ? 0 : ulong.Parse(memory[..^" kB".Length]) * 1024);
    }

    private static ReadOnlySpan<char> Value(ReadOnlySpan<char> text, ReadOnlySpan<char> name)
    {
        foreach (ReadOnlySpan<char> line in text.EnumerateLines())
        {
            if (line.StartsWith(name, StringComparison.Ordinal)) return line[name.Length..].Trim();
        }

        return default;
    }
}
