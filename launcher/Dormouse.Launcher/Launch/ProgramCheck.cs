using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Tools;

namespace Dormouse.Launcher.Launch;

/// <summary>Finds the program as execvp(3) would, and refuses what could be started but not checkpointed.</summary>
internal static class ProgramCheck
{
    private const uint SetUid = 0x800;
    private const uint SetGid = 0x400;
    private const uint FileType = 0xF000;
    private const uint Directory = 0x4000;

    /// <summary>The kernel follows that many interpreters of scripts: BINPRM_MAX_RECURSION, include/linux/binfmts.h.</summary>
    private const int MostInterpreters = 4;

    /// <exception cref="ToolException">It is not there, or may not be executed.</exception>
    public static string Find(string program)
    {
        if (program.Contains('/')) return Usable(program) is var error && error == Errno.None ? program : throw Unusable(program, error);

        Errno worst = Errno.ENOENT;
        string path = Environment.GetEnvironmentVariable("PATH") ?? "/bin:/usr/bin";
        foreach (string directory in path.Split(':'))
        {
            string candidate = directory.Length == 0 ? "./" + program : $"{directory.TrimEnd('/')}/{program}";
            Errno error = Usable(candidate);
            if (error == Errno.None) return candidate;
            if (error == Errno.EACCES) worst = error;
        }

        throw worst == Errno.EACCES ? Unusable(program, worst)
            : new ToolException(ExitCode.NotFound, $"{program} is not found in PATH. Give its path, such as ./{program}.");
    }

    /// <exception cref="ToolException">It cannot be checkpointed.</exception>
    public static void Check(string path)
    {
        for (int depth = 0; depth <= MostInterpreters; depth++)
        {
            if (Start.Stat(path, out Start.FileStatus status) != Errno.None) return;
            CheckPrivileges(path, status);
            if (ReadStart(path) is not { } start) return;
            if (!start.AsSpan().StartsWith("#!"u8))
            {
                if (ElfFile.Refusal(start) is { } reason) throw new ToolException(ExitCode.CannotLaunch, $"{path} {reason}");
                return;
            }

            if (Interpreter(start) is not { } interpreter) return;
            path = interpreter;
        }
    }

    private static void CheckPrivileges(string path, in Start.FileStatus status)
    {
        bool setuid = (status.Mode & SetUid) != 0 && status.Uid != Start.EffectiveUser();
        bool setgid = (status.Mode & SetGid) != 0 && status.Gid != Start.EffectiveGroup();
        if (setuid || setgid)
            throw new ToolException(ExitCode.CannotLaunch, $"{path} is set{(setuid ? "uid" : "gid")}: the system runs it without our library. Use a copy without that bit, or start it without dmlaunch.");
        if (status.HasCapabilities != 0 && Start.EffectiveUser() != 0)
            throw new ToolException(ExitCode.CannotLaunch, $"{path} has file capabilities: the system runs it without our library. Use a copy without them, or start it without dmlaunch.");
    }

    private static Errno Usable(string path)
    {
        Errno error = Start.Stat(path, out Start.FileStatus status);
        if (error != Errno.None) return error;
        if ((status.Mode & FileType) == Directory) return Errno.EACCES;
        return Start.Access(path, Start.FileAccess.Execute);
    }

    private static ToolException Unusable(string program, Errno error)
        => error is Errno.ENOENT or Errno.ENOTDIR
            ? new ToolException(ExitCode.NotFound, $"{program} is not found. Check the path.")
            : new ToolException(ExitCode.CannotExecute, $"{program} cannot be run: {error.Say()}. Is it a program, and executable (chmod +x)?");

    /// <summary>As much of the file as its headers take; null when it may be executed but not read: the kernel will judge.</summary>
    private static byte[]? ReadStart(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] start = new byte[65536];
            return start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>First word after #!, see execve(2).</summary>
    private static string? Interpreter(byte[] start)
    {
        int end = Array.IndexOf(start, (byte)'\n');
        string line = System.Text.Encoding.UTF8.GetString(start, 2, (end < 0 ? start.Length : end) - 2);
        string[] words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 ? words[0] : null;
    }
}
