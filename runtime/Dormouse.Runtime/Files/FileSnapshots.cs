// World: Frozen (read, announce, resolve, capture), restored process (check, roll back).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Files;

/// <summary>
/// Files roll back with memory: all files that this process has open, or mapped, for writing, and what belongs to them. Of the members
/// that have a file, the lowest saves it and rolls it back, before any member opens it again.
/// </summary>
internal sealed class FileSnapshots
{
    private const uint InventoryKind = 2;
    private readonly List<FileSnapshot> _files = [];
    private readonly List<(SharedObject Item, FileSnapshot File)> _mapped = [];
    private readonly FileLimits _limits = FileLimits.Read();

    /// <summary>What the members must know of each other's use of a file.</summary>
    [System.Flags]
    private enum Use : ulong
    {
        None = 0,
        Elsewhere = 1, // written to in the middle
        Log = 2,
        WhollyMapped = 4,
        StandardStream = 8,
        Writes = 16,
    }

    public static FileSnapshots Read(IReadOnlyList<OpenFile> files, SharedMemory memory)
    {
        var snapshots = new FileSnapshots();
        foreach (OpenFile file in files)
        {
            if (file is RegularFile { IsRolledBack: true } regular)
            {
                snapshots.Add(regular);
            }
        }

        foreach (SharedObject item in memory.NamedFiles)
        {
            snapshots.Add(item);
        }

        foreach (FileSnapshot file in snapshots._files.ToArray())
        {
            snapshots.AddCompanions(file);
        }

        return snapshots;
    }

    public void Announce(List<InventoryItem> items)
    {
        foreach (FileSnapshot file in _files)
        {
            Use use = (file.OnlyGrows ? Use.None : Use.Elsewhere) | (file.IsLog ? Use.Log : Use.None)
                | (file.IsWhollyMapped ? Use.WhollyMapped : Use.None) | (file.IsStandardStream ? Use.StandardStream : Use.None)
                | (file.IsWrittenHere ? Use.Writes : Use.None);
            items.Add(new InventoryItem(file.Key, default, InventoryKind, 0, (ulong)use));
        }
    }

    public void Resolve(uint self, CandidateTable candidates)
    {
        foreach (FileSnapshot file in _files)
        {
            file.IsOwnedHere = file.IsWrittenHere;
            file.IsWritten = file.IsWrittenHere;
            foreach (Candidate other in candidates.WithKey(file.Key))
            {
                var use = (Use)other.Item.Auxiliary;
                bool isWriter = (use & Use.Writes) != 0;
                file.IsOwnedHere &= self < other.Member || !isWriter;
                file.IsWritten |= isWriter;
                file.OtherMembers.Add(other.Member);
                file.OnlyGrows &= (use & Use.Elsewhere) == 0;
                file.IsLog |= (use & Use.Log) != 0;
                file.IsWhollyMapped |= (use & Use.WhollyMapped) != 0;
                file.IsStandardStream |= (use & Use.StandardStream) != 0;
            }
        }

        foreach ((SharedObject item, FileSnapshot file) in _mapped)
        {
            item.IsSavedAsFile = file.IsWritten && !file.IsSavedAsMemory;
            item.IsSavedWhole = !file.IsInMemory;
        }
    }

    /// <summary>Saves those that are this process's to save.</summary>
    public void Capture()
    {
        foreach (FileSnapshot file in _files)
        {
            if (file.IsOwnedHere)
            {
                file.Capture(_limits);
            }
        }
    }

    public void AddLosses(List<string> losses)
    {
        foreach (FileSnapshot file in _files)
        {
            if (file.IsOwnedHere && file.Loss(_limits) is { } loss)
            {
                losses.Add(loss);
            }
        }
    }

    /// <summary>Before anything is changed anywhere.</summary>
    /// <param name="acceptChanged">The user takes changed files as they are.</param>
    /// <exception cref="CheckpointException">A file cannot be what it was.</exception>
    public void Check(bool acceptChanged)
    {
        foreach (FileSnapshot file in _files)
        {
            if (file.IsOwnedHere && file.Problem() is { } problem)
            {
                if (!acceptChanged)
                {
                    throw new CheckpointException(problem + ", and run dmrestart again.");
                }

                RestartStdio.Warn(problem);
            }
        }
    }

    /// <summary>Makes all files what they were at the checkpoint; waits for those that other members own.</summary>
    /// <param name="exchange">A descriptor for each file says that its owner is done.</param>
    /// <param name="generation">Of the images.</param>
    public void RollBack(DescriptorExchange exchange, uint generation)
    {
        var beside = new KeptBeside(generation);
        int done = DescriptorNumbers.Raise(Kernel.Open("/dev/null", Constant.O_RDONLY | Constant.O_CLOEXEC));
        foreach (FileSnapshot file in _files)
        {
            if (!file.IsOwnedHere)
            {
                if (file.IsWritten)
                {
                    exchange.Expect(IdOf(file));
                }

                continue;
            }

            file.RollBack(beside);
            foreach (uint member in file.OtherMembers)
            {
                exchange.Send(member, IdOf(file), done);
            }
        }

        exchange.Complete();
        Kernel.Close(done);
    }

    private static DescriptionId IdOf(FileSnapshot file) => new(file.Key.High, file.Key.Low, 3ul << 32);

    private void Add(RegularFile file)
    {
        DescriptorInfo info = file.Info;
        FileSnapshot snapshot = FindOrAdd(info.Path, info.Status);
        bool appends = (info.Flags & Constant.O_APPEND) != 0;
        snapshot.OpenHere.Add(file);
        snapshot.IsWrittenHere = true;
        snapshot.OnlyGrows &= appends || (info.AccessMode == Constant.O_WRONLY && info.Position >= info.Status.SizeBytes);
        snapshot.IsLog |= appends || file.IsStandardStream;
        snapshot.IsStandardStream |= file.IsStandardStream;
    }

    private void Add(SharedObject item)
    {
        if (Kernel.Stat(item.Path, out FileStatus status) < 0 || status.Inode != item.Inode)
        {
            return;
        }

        FileSnapshot snapshot = FindOrAdd(item.Path, status);
        snapshot.OnlyGrows &= !item.IsWritableHere;
        snapshot.IsWrittenHere |= item.IsWritableHere;
        snapshot.IsInMemory = FileSystemKind.IsMemory(item.Path);
        snapshot.IsWhollyMapped = item.Covers((ulong)status.SizeBytes);
        _mapped.Add((item, snapshot));
    }

    private void AddCompanions(FileSnapshot file)
    {
        foreach (RegularFile open in file.OpenHere)
        {
            if (open.Info.AccessMode == Constant.O_RDWR && DatabaseCompanions.IsDatabase(open.Info.Fd))
            {
                foreach (string suffix in DatabaseCompanions.Suffixes)
                {
                    AddCompanion(file, file.Path + suffix);
                }

                return;
            }
        }
    }

    private void AddCompanion(FileSnapshot file, string path)
    {
        if (Kernel.Stat(path, out FileStatus status) < 0)
        {
            file.AddAbsentCompanion(path);
        }
        else if (status.Type == FileStatus.Regular)
        {
            FileSnapshot companion = FindOrAdd(path, status);
            companion.OnlyGrows = false;
            companion.IsWrittenHere = true;
        }
    }

    private FileSnapshot FindOrAdd(string path, in FileStatus status)
    {
        foreach (FileSnapshot file in _files)
        {
            if (file.Matches(status))
            {
                return file;
            }
        }

        var added = new FileSnapshot(path, status);
        _files.Add(added);
        return added;
    }
}
