// World: Frozen (capture), restored process (restore).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>Small things that belong to the process as a whole: directory, umask, what prctl(2) keeps.</summary>
internal sealed unsafe class ProcessAttributes
{
    private int _umask;
    private long _dumpable;
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
            _dumpable = Kernel.Call(SystemCall.Prctl, Constant.PR_GET_DUMPABLE),
            _isSubreaper = isSubreaper,
            _noNewPrivileges = Kernel.Call(SystemCall.Prctl, Constant.PR_GET_NO_NEW_PRIVS),
            _hugePagesDisabled = Kernel.Call(SystemCall.Prctl, Constant.PR_GET_THP_DISABLE),
        };
    }

    /// <exception cref="CheckpointException">The working directory is gone.</exception>
    public void Restore()
    {
        fixed (byte* path = Kernel.Terminated(WorkingDirectory))
        {
            long error = Kernel.Call(SystemCall.ChDir, (long)path);
            if (error < 0)
            {
                throw new CheckpointException($"cannot go back to the working directory {WorkingDirectory}: {Errno.Text(error)}. Create it and run dmrestart again.");
            }
        }

        Kernel.Call(SystemCall.UMask, _umask);
        if (_dumpable != 1)
        {
            Kernel.Call(SystemCall.Prctl, Constant.PR_SET_DUMPABLE, _dumpable);
        }

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

    /// <summary>The value of a line of /proc/self/status.</summary>
    public static string StatusLine(string name)
    {
        foreach (string line in ProcFile.ReadText("/proc/self/status").Split('\n'))
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
