// World: Frozen (capture), restored process (check, roll back).
using System;
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>How a file gets back to what it was at the checkpoint.</summary>
internal enum RollBackWay
{
    /// <summary>The image has its contents.</summary>
    Contents,

    /// <summary>It only grows: what is behind its old end is cut off.</summary>
    CutBack,

    /// <summary>Too large for the image, and can be written anywhere: a restart is refused when it has changed.</summary>
    MustBeUnchanged,

    /// <summary>Its contents are shared memory of the computation, saved as such.</summary>
    Memory,
}

/// <summary>One file that members can write to, as it was when all of them were suspended. Its owner alone saves it and rolls it back.</summary>
/// <param name="path">Absolute.</param>
/// <param name="status">At the checkpoint.</param>
internal sealed class FileSnapshot(string path, FileStatus status)
{
    private readonly List<string> _absentCompanions = [];
    private FileContents? _contents;
    private FileFingerprint? _fingerprint;

    public string Path => path;

    public ResourceKey Key { get; } = ObjectKeys.OfInode("snapshot", status.Device, status.Inode);

    public long SizeBytes => status.SizeBytes;

    /// <summary>This process's descriptions of it.</summary>
    public List<RegularFile> OpenHere { get; } = [];

    /// <summary>Whether everybody who can write to it appends, or stands at its end.</summary>
    public bool OnlyGrows { get; set; } = true;

    /// <summary>Whether one who writes to it opened it to append, or got it as standard stream: a log.</summary>
    public bool IsLog { get; set; }

    /// <summary>Whether it is a standard stream of the launch: when it is gone, output goes where dmrestart's goes.</summary>
    public bool IsStandardStream { get; set; }

    /// <summary>Whether a member's shared mappings show all of it.</summary>
    public bool IsWhollyMapped { get; set; }

    /// <summary>Whether it exists in memory only, such as in /dev/shm.</summary>
    public bool IsInMemory { get; set; }

    /// <summary>Whether this process saves it and rolls it back.</summary>
    public bool IsOwnedHere { get; set; }

    /// <summary>Whether this process can write to it; the others only map what it shows.</summary>
    public bool IsWrittenHere { get; set; }

    /// <summary>Whether any member can.</summary>
    public bool IsWritten { get; set; }

    public List<uint> OtherMembers { get; } = [];

    public RollBackWay Way { get; private set; }

    /// <summary>Notes that no file of this name belonged to it.</summary>
    public void AddAbsentCompanion(string companion) => _absentCompanions.Add(companion);

    public bool Matches(in FileStatus other) => other.Device == status.Device && other.Inode == status.Inode;

    /// <summary>The same in all members that have it, so that each can decide without asking.</summary>
    public bool IsSavedAsMemory => IsWhollyMapped && (IsInMemory || status.SizeBytes > FileLimits.LargestMappedBytes);

    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public void Capture(FileLimits limits)
    {
        if (IsSavedAsMemory)
        {
            Way = RollBackWay.Memory;
            return;
        }

        bool fits = limits.TryTake(status, OnlyGrows && IsLog, IsInMemory);
        Way = fits ? RollBackWay.Contents : OnlyGrows ? RollBackWay.CutBack : RollBackWay.MustBeUnchanged;
        if (Way != RollBackWay.MustBeUnchanged)
        {
            ReadWhateverWay();
        }
    }

    /// <summary>For people, and for the check before a restart; null when nothing need be said.</summary>
    public string? Loss(FileLimits limits)
        => Way == RollBackWay.MustBeUnchanged
            ? $"{path} ({status.SizeBytes >> 20} MiB) is open for writing and not in the image: it must not change before the restart. DORMOUSE_FILE_LIMIT (MiB, now {limits.Mebibytes}) raises what is saved"
            : null;

    /// <summary>Looks before anything is changed.</summary>
    /// <returns>Why the file cannot be rolled back; null: it can.</returns>
    public string? Problem()
    {
        if (Way is RollBackWay.Contents or RollBackWay.Memory)
        {
            return null;
        }

        int fd = Kernel.Open(path, Constant.O_RDONLY | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return IsStandardStream && fd == -Errno.NoEntry
                ? null
                : $"{path}, which the program was writing to, cannot be opened: {Errno.Text(fd)}. Put it back as it was at the checkpoint";
        }

        Kernel.FStat(fd, out FileStatus now);
        string? problem = Way == RollBackWay.MustBeUnchanged ? ChangeOf(now) : BodyProblem(fd, now);
        Kernel.Close(fd);
        return problem;
    }

    /// <summary>Makes it what it was.</summary>
    /// <exception cref="CheckpointException">It cannot be; what it had become is not lost.</exception>
    public void RollBack(KeptBeside beside)
    {
        if (Way != RollBackWay.MustBeUnchanged)
        {
            RollBackFile(beside);
        }

        foreach (string companion in _absentCompanions)
        {
            if (Kernel.Stat(companion, out _) == 0)
            {
                RestartStdio.Warn($"{companion} did not exist at the checkpoint: it is now {beside.Move(companion)}");
            }
        }
    }

    private void RollBackFile(KeptBeside beside)
    {
        int fd = Kernel.Open(path, Constant.O_RDWR | Constant.O_CLOEXEC);
        if (fd == -Errno.NoEntry)
        {
            if (!IsStandardStream)
            {
                MakeAgain();
            }

            return;
        }

        if (fd < 0)
        {
            throw new CheckpointException($"cannot make {path} again what it was at the checkpoint: {Errno.Text(fd)}. Make it writable and run dmrestart again.");
        }

        try
        {
            Kernel.FStat(fd, out FileStatus now);
            if (Way != RollBackWay.Memory && IsBodyUnchanged(fd, now))
            {
                CutBack(fd, now, beside);
            }
            else
            {
                Replace(fd, now, beside);
            }
        }
        finally
        {
            Kernel.Close(fd);
        }
    }

    private bool IsBodyUnchanged(int fd, in FileStatus now)
        => _contents is null ? Way == RollBackWay.CutBack && now.SizeBytes >= status.SizeBytes : _contents.IsPrefixOf(fd);

    private void CutBack(int fd, in FileStatus now, KeptBeside beside)
    {
        if (now.SizeBytes <= status.SizeBytes)
        {
            return;
        }

        string kept = beside.Copy(fd, path, status.SizeBytes)!;
        Check(Kernel.Call(SystemCall.FTruncate, fd, status.SizeBytes));
        SetTime(fd);
        RestartStdio.Warn($"{path} ends again where it did at the checkpoint; the {now.SizeBytes - status.SizeBytes} bytes behind are in {kept}");
    }

    private void Replace(int fd, in FileStatus now, KeptBeside beside)
    {
        bool isChanged = now.SizeBytes != status.SizeBytes || now.ModifiedNanoseconds != status.ModifiedNanoseconds || !Matches(now);
        if (Way == RollBackWay.Memory && (IsInMemory || !isChanged))
        {
            return;
        }

        string? kept = beside.Copy(fd, path, 0);
        _contents?.WriteTo(fd, path);
        SetTime(fd);
        RestartStdio.Warn($"{path} is again what it was at the checkpoint" + (kept is null ? "" : $"; what it had become is in {kept}"));
    }

    private void MakeAgain()
    {
        Directories.MakeParents(path);
        int fd = Kernel.Open(path, Constant.O_RDWR | Constant.O_CREAT | Constant.O_EXCL | Constant.O_CLOEXEC, 0x180);
        if (fd < 0)
        {
            throw new CheckpointException($"cannot make {path} again, which was there at the checkpoint: {Errno.Text(fd)}. Make its directory writable and run dmrestart again.");
        }

        try
        {
            _contents?.WriteTo(fd, path);
            Kernel.Call(SystemCall.FChOwn, fd, status.Uid, status.Gid);
            Check(Kernel.Call(SystemCall.FChMod, fd, (long)(status.Mode & 0xFFF)));
            SetTime(fd);
        }
        finally
        {
            Kernel.Close(fd);
        }
    }

    private string? ChangeOf(in FileStatus now)
        => now.SizeBytes == status.SizeBytes && now.ModifiedNanoseconds == status.ModifiedNanoseconds
            ? null
            : $"{path} has changed since the checkpoint, and with {status.SizeBytes >> 20} MiB it was too large for the image. Put the old file back with its time of change (cp -p), or say --accept-changed-files; DORMOUSE_FILE_LIMIT at the launch raises what is saved";

    private string? BodyProblem(int fd, in FileStatus now)
    {
        if (now.SizeBytes < status.SizeBytes)
        {
            return RestartStdio.Is(now) && IsStandardStream
                ? null
                : $"{path} has {now.SizeBytes} bytes and had {status.SizeBytes} at the checkpoint. Put the old file back";
        }

        return _fingerprint is { } then && FileFingerprint.Of(fd, status.SizeBytes) != then
            ? $"{path} has changed in its first {status.SizeBytes} bytes since the checkpoint, and was too large for the image. Put the old file back, or say --accept-changed-files"
            : null;
    }

    // In a table of our own we may open and close it; where we share the program's, that would end its fcntl locks.
    private void ReadWhateverWay()
    {
        if (BorrowedDescriptors.IsNeeded && TryReadByPath())
        {
            return;
        }

        foreach (RegularFile file in OpenHere)
        {
            if (file.Info.AccessMode != Constant.O_WRONLY)
            {
                Read(file.Info.Fd);
                Kernel.Seek(file.Info.Fd, file.Info.Position, Constant.SEEK_SET);
                return;
            }
        }

        if (!TryReadByPath())
        {
            // Nobody may read it: it can only be cut back unseen, or must not change.
            Way = OnlyGrows ? RollBackWay.CutBack : RollBackWay.MustBeUnchanged;
        }
    }

    private bool TryReadByPath()
    {
        int fd = Kernel.Open(path, Constant.O_RDONLY | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return false;
        }

        Read(fd);
        Kernel.Close(fd);
        foreach (RegularFile file in OpenHere)
        {
            FileLocks.Retake(file);
        }

        return true;
    }

    private void Read(int fd)
    {
        if (Way == RollBackWay.Contents)
        {
            _contents = FileContents.Read(fd, path, status);
        }
        else
        {
            _fingerprint = FileFingerprint.Of(fd, status.SizeBytes);
        }
    }

    // Programs compare times of change, and so does the next restart from the same images.
    private unsafe void SetTime(int fd)
    {
        const long Omit = (1L << 30) - 2; // UTIME_OMIT
        long* times = stackalloc long[] { 0, Omit, status.ModifiedSeconds, status.ModifiedNanosecondsPart };
        Kernel.Call(SystemCall.UTimeNsAt, fd, 0, (long)times, 0);
    }

    private void Check(long error)
    {
        if (error < 0)
        {
            throw new CheckpointException($"cannot make {path} again what it was at the checkpoint: {Errno.Text(error)}. Make room and run dmrestart again.");
        }
    }
}
