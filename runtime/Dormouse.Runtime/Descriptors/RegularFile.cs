// Files roll back with memory: a file that the program can write comes back with the length that it had at the checkpoint;
// what was behind is kept beside it. Files open for reading and writing, up to a size, come back with their contents.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A regular file: path, offset, flags; contents where the file system will not keep them for us.</summary>
internal sealed class RegularFile(DescriptorInfo info, int standardStream) : OpenFile(info)
{
    /// <summary>Read-write files up to this size are saved whole: databases in the middle of a transaction, session files.</summary>
    private const long LargestSavedReadWrite = 16 << 20;
    private FileContents? _contents;
    private long _sizeBytes;

    public override string Kind => "file";

    public override ResourceKey Key => ObjectKeys.OfFile(Info, "file");

    private bool IsWritable => Info.AccessMode != Constant.O_RDONLY;

    public override void Capture()
    {
        Kernel.FStat(Info.Fd, out FileStatus status);
        _sizeBytes = status.SizeBytes;
        bool isUnreachable = Info.IsDeleted || Kernel.Stat(Info.Path, out FileStatus named) < 0 || named.Inode != status.Inode || named.Device != status.Device;
        bool isReadWrite = Info.AccessMode == Constant.O_RDWR && _sizeBytes <= LargestSavedReadWrite;
        _contents = isUnreachable || isReadWrite ? ReadContents(this) : null;
        _isUnreachable = isUnreachable;
    }

    /// <summary>The contents of a file that this process has open, in whatever mode.</summary>
    public static FileContents ReadContents(OpenFile file)
    {
        DescriptorInfo info = file.Info;
        Kernel.FStat(info.Fd, out FileStatus status);
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

    private bool _isUnreachable;
    private bool _goesElsewhere;

    public override int Reopen()
    {
        int fd = _isUnreachable ? ReopenUnlinked() : ReopenByPath();
        if (fd >= 0 && !_goesElsewhere)
        {
            Kernel.Seek(fd, Info.Position, Constant.SEEK_SET);
        }

        return fd;
    }

    private int ReopenUnlinked()
    {
        int fd = UnlinkedFile.Make(Info.Path, Info.Flags);
        if (fd >= 0)
        {
            _contents!.WriteTo(fd, Info.Path);
        }

        return fd;
    }

    private int ReopenByPath()
    {
        if (_contents is not null && (standardStream < 0 || Kernel.Stat(Info.Path, out _) == 0))
        {
            _contents.RollBack(Info.Path);
        }
        else if (IsWritable)
        {
            CutBack();
        }

        int fd = Kernel.Open(Info.Path, Info.Flags & ~(Constant.O_CREAT | Constant.O_EXCL | Constant.O_TRUNC));
        if (fd < 0 && standardStream >= 0 && RestartStdio.Descriptor(standardStream) >= 0)
        {
            // The output of a job goes where the restarted job's output goes, when the old file is gone.
            _goesElsewhere = true;
            return Kernel.Fcntl(RestartStdio.Descriptor(standardStream), Constant.F_DUPFD_CLOEXEC);
        }

        return fd >= 0
            ? fd
            : throw new CheckpointException($"cannot open {Info.Path} (fd {Info.Fd}) again: {Errno.Text(fd)}. Put the file back and run dmrestart again.");
    }

    /// <summary>The program will write these bytes again: what was written after the checkpoint goes to a file beside.</summary>
    private void CutBack()
    {
        if (Kernel.Stat(Info.Path, out FileStatus now) < 0 || now.SizeBytes <= _sizeBytes || now.Type != FileStatus.Regular)
        {
            return;
        }

        int fd = Kernel.Open(Info.Path, Constant.O_RDWR | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return;
        }

        string tail = Info.Path + ".after-checkpoint-" + _sizeBytes.ToString(CultureInfo.InvariantCulture);
        int kept = Kernel.Open(tail, Constant.O_WRONLY | Constant.O_CREAT | Constant.O_TRUNC | Constant.O_CLOEXEC, 0x180);
        if (kept >= 0 && CopyTail(fd, kept, now.SizeBytes))
        {
            Kernel.Call(SystemCall.FTruncate, fd, _sizeBytes);
        }

        Kernel.Close(kept);
        Kernel.Close(fd);
    }

    private unsafe bool CopyTail(int from, int to, long end)
    {
        long offset = _sizeBytes;
        while (offset < end)
        {
            if (Kernel.Call(SystemCall.SendFile, to, from, (long)&offset, end - offset) <= 0)
            {
                return false;
            }
        }

        return true;
    }
}
