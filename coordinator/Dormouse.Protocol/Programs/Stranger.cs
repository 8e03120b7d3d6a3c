using System.Globalization;

namespace Dormouse.Protocol.Programs;

/// <summary>A process among those of a computation that can never become a member, and why.</summary>
/// <remarks>All is read from the kernel at the moment of the question: proc_pid_exe(5), proc_pid_maps(5), proc_pid_status(5).</remarks>
/// <param name="Pid">As this host counts.</param>
/// <param name="Program">Its name.</param>
/// <param name="Reason">To follow the name in a sentence.</param>
/// <param name="Instead">A way out, to follow "or".</param>
/// <param name="PatienceMilliseconds">How long it may be waited for before anybody is troubled: short commands end by themselves.</param>
public sealed record Stranger(int Pid, string Program, string Reason, string Instead, int PatienceMilliseconds)
{
    /// <summary>In the environment of a program that serves a computation from outside: dmssh's ssh.</summary>
    public const string CarrierVariable = "DORMOUSE_SSH_CARRIER";

    private const string Library = "/libdormouse.so";
    private const int Patience = 250;

    /// <summary>Where only the absence of something speaks against a process, it gets time to show it.</summary>
    private const int LongPatience = 3000;

    /// <summary>One sentence, and what to do.</summary>
    /// <param name="relation">", a child of …", or nothing.</param>
    public string Describe(string relation)
        => $"pid {Pid} ({Program}){relation} {Reason}, so the computation cannot be checkpointed while it runs. " +
           $"Try again when it has ended, start it outside of the computation, or {Instead}.";

    /// <summary>Null: nothing is known that keeps this process from saying hello. It may be on its way, or have ended.</summary>
    public static Stranger? Find<TFiles>(int pid, TFiles files)
        where TFiles : struct, IProcessFiles
    {
        string directory = Directory(pid);
        string status = files.ReadText(directory + "/status");
        if (!IsAlive(status)) return null;
        Verdict? verdict = files.ReadStart(directory + "/exe") is { } start
            ? ByProgram(start) ?? ByMemory(files.ReadText(directory + "/maps"), status, files)
            : HasOtherPrivileges(status, files) ? Privileged : null;
        return verdict?.On(pid, status);
    }

    /// <summary>Whether this child does not count: it came here because its parent ended, and nobody waits for it.</summary>
    public static bool IsCarrier<TFiles>(int pid, TFiles files)
        where TFiles : struct, IProcessFiles
        => files.ReadText(Directory(pid) + "/environ").Contains(CarrierVariable + "=", StringComparison.Ordinal);

    /// <summary>As <see cref="Find"/>, but looks at the program's file only: also right for processes that were woken.</summary>
    public static Stranger? FindByProgram<TFiles>(int pid, TFiles files)
        where TFiles : struct, IProcessFiles
    {
        string directory = Directory(pid);
        string status = files.ReadText(directory + "/status");
        return IsAlive(status) && files.ReadStart(directory + "/exe") is { } start ? ByProgram(start)?.On(pid, status) : null;
    }

    private static readonly Verdict Privileged = new(
        "has other privileges than the program that started it (it is setuid, setgid or has file capabilities), and the system starts such programs without our library",
        "use a copy without them", Patience);

    private static string Directory(int pid) => "/proc/" + pid.ToString(CultureInfo.InvariantCulture);

    private static bool IsAlive(string status) => status.Length > 0 && !Field(status, "State").StartsWith('Z');

    private static Verdict? ByProgram(byte[] start) => ElfProgram.KindOf(start) switch
    {
        ProgramKind.Static => new("is a static program, into which our library cannot be loaded", "use one that is linked dynamically", Patience),
        ProgramKind.ThirtyTwoBits => new("is a 32-bit program", "use one for 64 bits", Patience),
        ProgramKind.OtherProcessor => new("is for another kind of processor", "use one for x86-64", Patience),
        ProgramKind.OtherLibc => new("is linked with another C library than glibc (musl, most likely)", "use one that was built on this system", Patience),
        _ => null,
    };

    private static Verdict? ByMemory<TFiles>(string maps, string status, TFiles files)
        where TFiles : struct, IProcessFiles
    {
        string name = Field(status, "Name");
        if (name == "dmssh") return new("is still logging in to another host", "wait until it is through", LongPatience);
        if (maps.Contains(Library, StringComparison.Ordinal))
        {
            return Words(Field(status, "NSpid")) > Words(Field(files.ReadText("/proc/self/status"), "NSpid"))
                ? new("lives in a PID namespace of its own", "start it without one", Patience)
                : RootMount(status, files) != RootMount(files.ReadText("/proc/self/status"), files)
                ? new("lives in a root directory of its own (chroot)", "start it without one", Patience)
                : Field(status, "Threads") == "1"
                    ? new("was made by a system call past libc (clone), and has nobody who would checkpoint it", "make it by fork()", LongPatience)
                    : null;
        }

        // The loader maps what is preloaded before what the program needs.
        if (!maps.Contains("/libc.so.6", StringComparison.Ordinal) && !maps.Contains("/libc-2", StringComparison.Ordinal)) return null;
        if (name is "ssh" or "rsh")
            return new("is a connection to another host that runs no command there (a tunnel, a file transfer, or DORMOUSE_SSH=plain)", "close it before", Patience);
        return HasOtherPrivileges(status, files)
            ? Privileged
            : new("was started by a system call past libc (execve), with an environment that does not name our library", "start it by way of libc", LongPatience);
    }

    private static bool HasOtherPrivileges<TFiles>(string status, TFiles files)
        where TFiles : struct, IProcessFiles
    {
        string own = files.ReadText("/proc/self/status");
        return Field(status, "Uid") != Field(own, "Uid") || Field(status, "Gid") != Field(own, "Gid") || Field(status, "CapPrm") != Field(own, "CapPrm");
    }

    /// <summary>The mount that is its root directory, by number; a directory within one has none. proc_pid_mountinfo(5): number, parent, device, root, mount point.</summary>
    private static string RootMount<TFiles>(string status, TFiles files)
        where TFiles : struct, IProcessFiles
    {
        foreach (string line in files.ReadText("/proc/" + Field(status, "Pid") + "/mountinfo").Split('\n'))
        {
            string[] fields = line.Split(' ', 6);
            if (fields.Length == 6 && fields[4] == "/") return fields[0];
        }

        return "";
    }

    private static int Words(string text) => text.Length == 0 ? 0 : text.Split('\t').Length;

    /// <summary>"Name:\tvalue" of /proc/PID/status.</summary>
    private static string Field(string status, string name)
    {
        int at = status.StartsWith(name + ":", StringComparison.Ordinal) ? 0 : status.IndexOf("\n" + name + ":", StringComparison.Ordinal) + 1;
        if (at == 0 && !status.StartsWith(name + ":", StringComparison.Ordinal)) return "";
        int end = status.IndexOf('\n', at);
        return status[(at + name.Length + 1)..(end < 0 ? status.Length : end)].Trim();
    }

    private sealed record Verdict(string Reason, string Instead, int PatienceMilliseconds)
    {
        public Stranger On(int pid, string status) => new(pid, Field(status, "Name"), Reason, Instead, PatienceMilliseconds);
    }
}
