// World: Frozen (capture), restored process with all descriptors in place (restore).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// Locks on files, from the "lock:" lines of fdinfo (proc_pid_fdinfo(5)): those of fcntl(2) belong to the process, those of flock(2)
/// and F_OFD_SETLK to the open file description.
/// </summary>
/// <remarks>
/// When a process closes any descriptor of a file, its fcntl locks on the file are gone. So nothing may be opened and closed between
/// <see cref="Restore"/> and RESUME, nor, without <see cref="Retake"/>, during a checkpoint.
/// </remarks>
internal sealed unsafe class FileLocks
{
    private const int SetLock = Constant.F_SETLK, GetLock = 5, SetDescriptionLock = Constant.F_OFD_SETLK;
    private const int LockShared = 1, LockExclusive = 2, DoNotWait = 4;
    private readonly List<Lock> _locks = [];

    private enum Owner
    {
        Process,
        Description,
        Flock,
        Lease,
    }

    /// <param name="Length">Bytes, 0: to the end however far it moves.</param>
    private sealed record Lock(OpenFile File, Owner Owner, bool IsWrite, long Start, long Length);

    public static FileLocks Capture(IEnumerable<OpenFile> files)
    {
        var locks = new FileLocks();
        foreach (OpenFile file in files)
        {
            locks.Add(file);
        }

        return locks;
    }

    /// <summary>What will not survive.</summary>
    public void AddLosses(List<string> losses)
    {
        foreach (Lock item in _locks)
        {
            if (item.Owner == Owner.Lease)
            {
                losses.Add($"fd {item.File.Descriptors[0].Fd} ({item.File.Info.Path}): the lease on it is not taken again");
            }
        }
    }

    /// <summary>Takes them again: those of this process, and of descriptions those that this process has made.</summary>
    /// <exception cref="CheckpointException">Somebody else holds one.</exception>
    public void Restore(uint self)
    {
        foreach (Lock item in _locks)
        {
            if (item.Owner == Owner.Process || item.File.Creator == self)
            {
                Take(item);
            }
        }
    }

    /// <summary>Takes the fcntl locks on a file again after one of its descriptors was closed in the table that we share with the program.</summary>
    public static void Retake(OpenFile file)
    {
        if (BorrowedDescriptors.IsNeeded)
        {
            return; // a lock belongs to a table: ours has none
        }

        var locks = new FileLocks();
        locks.Add(file);
        foreach (Lock item in locks._locks)
        {
            if (item.Owner == Owner.Process)
            {
                Take(item);
            }
        }
    }

    // lock: 1: POSIX  ADVISORY  WRITE 4711 08:02:12345 1073741824 1073742335
    private void Add(OpenFile file)
    {
        if (!file.Info.HasDetail("lock:"))
        {
            return;
        }

        foreach (string line in file.Info.Details.Split('\n'))
        {
            string[] fields = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length != 9 || fields[0] != "lock:")
            {
                continue;
            }

            Owner owner = fields[2] switch
            {
                "POSIX" => Owner.Process,
                "OFDLCK" => Owner.Description,
                "FLOCK" => Owner.Flock,
                _ => Owner.Lease,
            };
            long start = long.Parse(fields[7], CultureInfo.InvariantCulture);
            long length = fields[8] == "EOF" ? 0 : long.Parse(fields[8], CultureInfo.InvariantCulture) - start + 1;
            _locks.Add(new Lock(file, owner, fields[4] == "WRITE", start, length));
        }
    }

    private static void Take(Lock item)
    {
        int fd = item.File.Descriptors[0].Fd;
        long error = item.Owner switch
        {
            Owner.Process => Record(fd, SetLock, item, out _),
            Owner.Description => Record(fd, SetDescriptionLock, item, out _),
            Owner.Flock => Kernel.Call(SystemCall.Flock, fd, (item.IsWrite ? LockExclusive : LockShared) | DoNotWait),
            _ => 0,
        };
        if (error < 0)
        {
            throw new CheckpointException($"cannot take the lock on {item.File.Info.Path} (fd {fd}) again: {Reason(fd, item, error)}. End that use of the file and run dmrestart again.");
        }
    }

    // struct flock: s16 type, s16 whence, s64 start, s64 length, s32 pid; 32 bytes.
    private static long Record(int fd, int command, Lock item, out int holder)
    {
        const int ReadLock = 0, WriteLock = 1;
        long* request = stackalloc long[] { item.IsWrite ? WriteLock : ReadLock, item.Start, item.Length, 0 };
        long error = Kernel.Fcntl(fd, command, (long)request);
        holder = (int)request[3];
        return error;
    }

    private static string Reason(int fd, Lock item, long error)
    {
        if (error is not (-Errno.TryAgain or -Errno.AccessDenied))
        {
            return Errno.Text(error);
        }

        int holder = 0;
        if (item.Owner == Owner.Process)
        {
            Record(fd, GetLock, item, out holder);
        }

        holder = holder > 0 ? holder : HolderInList(fd);
        string name = holder > 0 ? ProcFile.ReadText($"/proc/{holder.ToString(CultureInfo.InvariantCulture)}/comm") : "";
        return holder > 0 ? $"process {holder} ({name}) holds one" : "a process that cannot be seen from here holds one";
    }

    // 1: FLOCK  ADVISORY  WRITE 4711 08:02:12345 0 EOF
    private static int HolderInList(int fd)
    {
        Kernel.FStat(fd, out FileStatus status);
        string inode = ":" + status.Inode.ToString(CultureInfo.InvariantCulture);
        foreach (string line in ProcFile.ReadText("/proc/locks").Split('\n'))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 8 && fields[5].EndsWith(inode, StringComparison.Ordinal)
                && int.TryParse(fields[4], CultureInfo.InvariantCulture, out int pid) && pid > 0 && pid != Kernel.Pid)
            {
                return pid;
            }
        }

        return 0;
    }
}
