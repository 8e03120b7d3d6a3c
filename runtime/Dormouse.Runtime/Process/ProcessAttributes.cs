// World: Frozen (capture), restored process (restore).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>Small things that belong to the process as a whole: directory, umask, what prctl(2) keeps.</summary>
internal sealed unsafe class ProcessAttributes
{
    private int _umask;
    private int _isSubreaper;
    private long _noNewPrivileges;
    private long _hugePagesDisabled;

    public string WorkingDirectory { get; private set; } = "/";

    public int Umask => _umask;

    public bool IsSubreaper => _isSubreaper != 0;

    public static ProcessAttributes Capture()
    {
        int isSubreaper = 0;
        Kernel.Call(SystemCall.Prctl, Constant.PR_GET_CHILD_SUBREAPER, (long)&isSubreaper);
        return new ProcessAttributes
        {
            WorkingDirectory = Kernel.ReadLink("/proc/self/cwd") ?? "/",
            _umask = Convert.ToInt32(StatusLine("Umask:"), 8),
            _isSubreaper = isSubreaper,
            _noNewPrivileges = Kernel.Call(SystemCall.Prctl, Constant.PR_GET_NO_NEW_PRIVS),
            _hugePagesDisabled = Kernel.Call(SystemCall.Prctl, Constant.PR_GET_THP_DISABLE),
        };
    }

    /// <exception cref="CheckpointException">The working directory is gone.</exception>
    public void Restore()
    {
        RestoreDirectory();
        Kernel.Call(SystemCall.UMask, _umask);

        if (_isSubreaper != 0)
        {
            Kernel.Call(SystemCall.Prctl, Constant.PR_SET_CHILD_SUBREAPER, 1);
        }

        if (_noNewPrivileges == 1)
        {
            Kernel.Call(SystemCall.Prctl, Constant.PR_SET_NO_NEW_PRIVS, 1);
        }

        if (_hugePagesDisabled == 1)
        {
            Kernel.Call(SystemCall.Prctl, Constant.PR_SET_THP_DISABLE, 1);
        }
    }

    /// <summary>What will not survive.</summary>
    public static void AddLosses(List<string> losses)
    {
        // A container gives its own filters to everybody in it, and will again.
        const string Filters = "Seccomp_filters:";
        if (int.TryParse(StatusLine(Filters), CultureInfo.InvariantCulture, out int own)
            && int.TryParse(StatusLine(Filters, "/proc/1/status"), CultureInfo.InvariantCulture, out int surrounding) && own > surrounding)
        {
            losses.Add("its seccomp filter is not put back: after a restart the program may make any system call that dmrestart may make");
        }

        if (Shim.PrivilegesExceedProgram() != 0)
        {
            losses.Add("it has given up rights by a system call past libc (setuid): our thread in it still has them, and after a restart it has our supplementary groups");
        }
    }

    // A directory that was removed is made for a moment, since only so the program can be in one that is gone.
    private void RestoreDirectory()
    {
        const string Removed = " (deleted)", Addition = ".dormouse-";
        bool isRemoved = WorkingDirectory.EndsWith(Removed, StringComparison.Ordinal);
        string path = WorkingDirectory;
        if (isRemoved)
        {
            path = path[..^Removed.Length] + Addition + Kernel.Pid.ToString(CultureInfo.InvariantCulture);
            Directories.MakeParents(path);
            Kernel.MakeDirectory(path, 0x1C0);
        }

        fixed (byte* text = Kernel.Terminated(path))
        {
            long error = Kernel.Call(SystemCall.ChDir, (long)text);
            if (error < 0)
            {
                throw new CheckpointException($"cannot go back to the working directory {WorkingDirectory}: {Errno.Text(error)}. Create it and run dmrestart again.");
            }

            if (isRemoved)
            {
                const int RemoveDirectory = 0x200;
                Kernel.Call(SystemCall.UnlinkAt, Constant.AtFdCwd, (long)text, RemoveDirectory);
            }
        }
    }

    /// <summary>The value of a line of /proc/self/status.</summary>
    public static string StatusLine(string name, string path = "/proc/self/status")
    {
        foreach (string line in ProcFile.ReadText(path).Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[name.Length..].Trim();
            }
        }

        return "0";
    }

    /// <summary>Signals that the kernel ignores or catches, as the number in /proc/self/status.</summary>
    public static ulong StatusMask(string name) => ulong.Parse(StatusLine(name), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
