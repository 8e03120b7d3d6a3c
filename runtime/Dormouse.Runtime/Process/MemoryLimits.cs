// World: Guest and Frozen; restored process.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>
/// RLIMIT_AS and RLIMIT_DATA of the process: a checkpoint needs some memory of its own, and a program that has come near to its limit leaves none.
/// They are higher then until the program goes on; in a restart until it has all that it had.
/// </summary>
internal static unsafe class MemoryLimits
{
    /// <summary>What a checkpoint may need, and below which it cannot be done: in bytes.</summary>
    private const ulong Wanted = 256 << 20, Least = 16 << 20;
    private const ulong PageBytes = 4096;
    private static readonly Limit[] s_programs = new Limit[2], s_ours = new Limit[2];
    private static bool s_areRaised;

    /// <summary>Kinds of getrlimit(2), what people call them, and their field in /proc/self/statm (proc_pid_statm(5)).</summary>
    private static readonly (int Kind, string Name, string Option, int Field)[] s_kinds =
        [(9, "its address space (ulimit -v)", "as", 0), (2, "its data (ulimit -d)", "data", 5)];

    public static bool Has(int kind) => kind == s_kinds[0].Kind || kind == s_kinds[1].Kind;

    /// <summary>As the program has it, who may have changed it meanwhile; one of the two kinds.</summary>
    public static Limit OfProgram(int kind)
    {
        int index = kind == s_kinds[0].Kind ? 0 : 1;
        Limit now = Read(kind);
        return s_areRaised && now == s_ours[index] ? s_programs[index] : now;
    }

    /// <exception cref="CheckpointException">There is hardly any, and nobody but root may change that.</exception>
    public static void MakeRoom()
    {
        string[] used = ProcFile.ReadText("/proc/self/statm").Split(' ');
        for (int i = 0; i < s_kinds.Length && used.Length > 5; i++)
        {
            ulong bytes = ulong.Parse(used[s_kinds[i].Field], CultureInfo.InvariantCulture) * PageBytes;
            if (Read(s_kinds[i].Kind).Soft < bytes + Wanted)
            {
                Raise(i, bytes);
            }
        }
    }

    /// <summary>In a restored process, which has the limits of dmrestart: <see cref="GiveBack"/> gives the program its own.</summary>
    public static void Inherit(Limit[] programs)
    {
        (s_programs[0], s_programs[1]) = (programs[s_kinds[0].Kind], programs[s_kinds[1].Kind]);
        NoteOurs();
    }

    /// <summary>The program gets its own limits again.</summary>
    public static void GiveBack()
    {
        for (int i = 0; s_areRaised && i < s_kinds.Length; i++)
        {
            ResourceLimits.Set(s_kinds[i].Kind, OfProgram(s_kinds[i].Kind));
        }

        s_areRaised = false;
    }

    private static void Raise(int index, ulong used)
    {
        int kind = s_kinds[index].Kind;
        if (!s_areRaised)
        {
            (s_programs[0], s_programs[1]) = (Read(s_kinds[0].Kind), Read(s_kinds[1].Kind));
        }

        // Above the hard limit only root may go: ResourceLimits takes what there is.
        ulong wanted = used + Wanted;
        ResourceLimits.Set(kind, new Limit(wanted, Math.Max(wanted, s_programs[index].Hard)));
        NoteOurs();
        if (Read(kind).Soft < used + Least)
        {
            GiveBack();
            throw new CheckpointException(
                $"the program has reached the limit of {s_kinds[index].Name}, and a checkpoint needs {Wanted >> 20} MiB beyond it. Raise it: prlimit --{s_kinds[index].Option}=unlimited --pid {Kernel.Pid}, as root where that is refused.");
        }
    }

    private static void NoteOurs()
    {
        (s_ours[0], s_ours[1]) = (Read(s_kinds[0].Kind), Read(s_kinds[1].Kind));
        s_areRaised = true;
    }

    private static Limit Read(int kind) => ResourceLimits.Read(kind);
}
