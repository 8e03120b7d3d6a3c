using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>What a user reads when an image could not be written: the file, the reason and the way out.</summary>
internal static class ImageFailure
{
    private const int TooManyOpenFiles = 24;
    private const int FileTooLarge = 27;
    private const int BadAddress = 14;

    /// <param name="result">The negative result of the system call.</param>
    public static string Describe(string path, long result) => $"cannot write {path}: {Errno.Text(result)}. {Advice((int)-result)}";

    private static string Advice(int error) => error switch
    {
        Errno.NoSpace or Errno.QuotaExceeded => "Make room or choose another directory with --ckptdir.",
        FileTooLarge => "The program may not make files that large: raise its limit (ulimit -f) before dmlaunch.",
        TooManyOpenFiles => $"The program has lowered its limit of open files too far (ulimit -n): raise it (prlimit --nofile=64 --pid {Kernel.Pid}).",
        BadAddress => "A part of the program's memory cannot be read; /proc/PID/maps of it would tell which: please report it.",
        Errno.InputOutput => "Look after the disk or choose another directory with --ckptdir.",
        _ => "Make the directory writable or choose another with --ckptdir.",
    };
}
