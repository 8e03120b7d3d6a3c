// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>What a file had become after the checkpoint: it goes to a file beside before anything is overwritten or cut off.</summary>
/// <param name="generation">Of the images that are woken; part of the names.</param>
internal sealed class KeptBeside(uint generation)
{
    private const int MostTries = 1000;

    /// <summary>Copies everything from <paramref name="start"/> on, and has it safe on disk.</summary>
    /// <returns>Path of the copy; null when there was nothing to keep.</returns>
    /// <exception cref="CheckpointException">It cannot be kept, so nothing may be overwritten.</exception>
    public string? Copy(int fd, string path, long start)
    {
        Kernel.FStat(fd, out FileStatus status);
        if (status.SizeBytes <= start)
        {
            return null;
        }

        int copy = Create(path, out string name);
        long error = Kernel.CopyRange(fd, start, copy, 0, status.SizeBytes - start);
        if (error >= 0)
        {
            Kernel.Call(SystemCall.FChOwn, copy, status.Uid, status.Gid);
            Kernel.Call(SystemCall.FChMod, copy, (long)(status.Mode & 0xFFF));
            error = Kernel.Call(SystemCall.FSync, copy);
        }

        Kernel.Close(copy);
        if (error < 0)
        {
            Kernel.Unlink(name);
            throw Cannot(path, name, error);
        }

        return name;
    }

    /// <summary>Moves a whole file away.</summary>
    public string Move(string path)
    {
        Kernel.Close(Create(path, out string name));
        int error = Kernel.Rename(path, name);
        return error >= 0 ? name : throw Cannot(path, name, error);
    }

    // Never over what an earlier restart has kept.
    private int Create(string path, out string name)
    {
        string first = path + ".after-checkpoint-" + generation.ToString(CultureInfo.InvariantCulture);
        name = first;
        for (int number = 2; ; number++)
        {
            int fd = Kernel.Open(name, Constant.O_WRONLY | Constant.O_CREAT | Constant.O_EXCL | Constant.O_CLOEXEC, 0x180);
            if (fd >= 0)
            {
                return fd;
            }

            if (fd != -Errno.Exists || number > MostTries)
            {
                throw Cannot(path, name, fd);
            }

            name = first + "." + number.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static CheckpointException Cannot(string path, string name, long error)
        => new($"{path} has changed since the checkpoint, and its newer contents cannot be kept as {name}: {Errno.Text(error)}. Make room and the directory writable, or move {path} away, and run dmrestart again.");
}
