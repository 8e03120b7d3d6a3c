// World: Frozen (detect, capture), restored process (reopen).
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// An open regular file: path, offset, flags. What is in it comes back before, see <see cref="FileSnapshots"/>; a file that its path does
/// not lead to any more is made anew without a name.
/// </summary>
/// <param name="info">Its descriptor.</param>
/// <param name="standardStream">Which standard stream of the launch it is, or -1.</param>
internal sealed class RegularFile(DescriptorInfo info, int standardStream) : OpenFile(info)
{
    private readonly bool _isReachable = IsReachable(info);
    private FileContents? _contents;
    private bool _goesElsewhere;

    public override string Kind => "file";

    public override ResourceKey Key => ObjectKeys.OfFile(Info, "file");

    public bool IsStandardStream => standardStream >= 0;

    /// <summary>Whether the program can write to it, so that it must become again what it was.</summary>
    public bool IsRolledBack => Info.AccessMode != Constant.O_RDONLY && _isReachable && !FileSystemKind.IsKernel(Info.Fd);

    public override void Capture()
    {
        if (!_isReachable)
        {
            _contents = ReadContents(this);
        }
    }

    /// <summary>The contents of a file without a name that this process has open, in whatever mode.</summary>
    public static FileContents ReadContents(OpenFile file)
    {
        DescriptorInfo info = file.Info;
        Kernel.FStat(info.Fd, out FileStatus status);
        FileLimits.CheckNameless(info.Path, status);
        if (info.AccessMode != Constant.O_WRONLY)
        {
            FileContents read = FileContents.Read(info.Fd, info.Path, status);
            Kernel.Seek(info.Fd, info.Position, Constant.SEEK_SET);
            return read;
        }

        int readable = Kernel.Open(ProcFile.DescriptorPath(info.Fd), Constant.O_RDONLY | Constant.O_CLOEXEC);
        if (readable < 0)
        {
            throw new CheckpointException($"cannot read {info.Path} (fd {info.Fd}), whose contents the image must carry: {Errno.Text(readable)}. Close it before the checkpoint.");
        }

        FileContents contents = FileContents.Read(readable, info.Path, status);
        Kernel.Close(readable);
        FileLocks.Retake(file);
        return contents;
    }

    public override int Reopen()
    {
        int fd = _isReachable ? ReopenByPath() : ReopenNameless();
        if (fd >= 0 && IsSharedWithRestart(fd))
        {
            return ShareWithRestart(fd);
        }

        if (fd >= 0 && !_goesElsewhere)
        {
            Kernel.Seek(fd, Info.Position, Constant.SEEK_SET);
        }

        return fd;
    }

    // Where we may not look the kernel's word for it counts: the file lies behind a directory of another user, who has opened it for us.
    private static bool IsReachable(DescriptorInfo info) => Kernel.Stat(info.Path, out FileStatus named) switch
    {
        0 => named.Inode == info.Status.Inode && named.Device == info.Status.Device,
        -Errno.AccessDenied => info.Status.Links != 0 && !info.IsDeleted,
        _ => false,
    };

    private int ReopenNameless()
    {
        int fd = UnlinkedFile.Make(Info.Path, Info.Flags);
        if (fd >= 0)
        {
            UnlinkedFile.Fill(fd, _contents!, Info.Path);
        }

        return fd;
    }

    private int ReopenByPath()
    {
        int fd = Kernel.Open(Info.Path, Info.Flags & ~(Constant.O_CREAT | Constant.O_EXCL | Constant.O_TRUNC | Constant.O_TMPFILE));
        if (fd < 0 ? IsStandardStream : IsNowOutputOfRestart(fd))
        {
            fd = GoElsewhere(fd);
        }

        if (fd < 0)
        {
            throw new CheckpointException($"cannot open {Info.Path} (fd {Info.Fd}) again: {Errno.Text(fd)}. Put the file back and run dmrestart again.");
        }

        if (Info.AccessMode == Constant.O_RDONLY)
        {
            WarnOfChange(fd);
        }

        return fd;
    }

    // The output of a job goes where the restarted job's output goes, when the old file is gone or has been made anew for it.
    private int GoElsewhere(int fd)
    {
        if (RestartStdio.Descriptor(standardStream) < 0)
        {
            return fd;
        }

        Kernel.Close(fd);
        _goesElsewhere = true;
        return Kernel.Fcntl(RestartStdio.Descriptor(standardStream), Constant.F_DUPFD_CLOEXEC);
    }

    // Whoever started dmrestart with this file as its output, such as a script, writes there, too: with an offset of his own, not at the end, he
    // would overwrite what the program writes. At the launch they had one offset, and have again.
    private bool IsSharedWithRestart(int fd)
    {
        int other = RestartStdio.Descriptor(standardStream < 0 ? 0 : standardStream);
        return standardStream > 0 && !_goesElsewhere && other >= 0
            && Descriptors.Exists(one => one.Fd == standardStream)
            && Kernel.FStat(fd, out FileStatus own) == 0 && Kernel.FStat(other, out FileStatus status) == 0
            && own.Device == status.Device && own.Inode == status.Inode
            && Kernel.Fcntl(other, Constant.F_GETFL) is var flags and >= 0
            && (flags & Constant.O_APPEND) == 0 && (flags & Constant.O_ACCMODE) == Info.AccessMode;
    }

    private int ShareWithRestart(int fd)
    {
        Kernel.Close(fd);
        int shared = Kernel.Fcntl(RestartStdio.Descriptor(standardStream), Constant.F_DUPFD_CLOEXEC);
        Kernel.Fcntl(shared, Constant.F_SETFL, Info.Flags);
        // Behind what dmrestart has said there.
        bool wasAtEnd = Info.Position == Info.Status.SizeBytes;
        Kernel.Seek(shared, wasAtEnd ? 0 : Info.Position, wasAtEnd ? Constant.SEEK_END : Constant.SEEK_SET);
        return shared;
    }

    private bool IsNowOutputOfRestart(int fd)
        => IsStandardStream && Kernel.FStat(fd, out FileStatus now) == 0 && now.SizeBytes < Info.Status.SizeBytes && RestartStdio.Is(now);

    private void WarnOfChange(int fd)
    {
        Kernel.FStat(fd, out FileStatus now);
        bool isSame = now.SizeBytes == Info.Status.SizeBytes && now.ModifiedNanoseconds == Info.Status.ModifiedNanoseconds;
        if (!isSame && !FileSystemKind.IsKernel(fd))
        {
            RestartStdio.Warn($"{Info.Path}, which {ProcFile.ReadText("/proc/self/comm")} is reading (fd {Descriptors[0].Fd}), has changed since the checkpoint");
        }
    }
}
