// World: Frozen (read, announce, resolve), restored process (restore).
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.SystemV;

namespace Dormouse.Runtime.Memory;

/// <summary>
/// MAP_SHARED memory: mapped files, /dev/shm, memory without a name, System V segments. The restorer brings the contents back as
/// private memory of one process; that process makes the object again, and all map it.
/// </summary>
internal sealed unsafe class SharedMemory
{
    private const ulong WritableBit = 1ul << 63;
    private readonly List<SharedObject> _objects = [];
    private uint _self;

    public static SharedMemory Read(List<Mapping> mappings, IReadOnlyList<OpenFile> files)
    {
        var memory = new SharedMemory();
        var otherNames = new OtherNames();
        foreach (Mapping mapping in mappings)
        {
            if (mapping.IsShared)
            {
                string? name = mapping.IsFile && mapping.IsDeleted ? otherNames.Find(mapping.Path, mapping.DeviceNumber, mapping.Inode) : null;
                memory.Add(name is null ? mapping : mapping with { Name = name });
            }
        }

        foreach (OpenFile file in files)
        {
            if (file is NamelessFile nameless)
            {
                memory.Add(nameless);
            }
        }

        return memory;
    }

    /// <summary>Memory that is a file with a name.</summary>
    public IEnumerable<SharedObject> NamedFiles
    {
        get
        {
            foreach (SharedObject item in _objects)
            {
                if (item.HasName)
                {
                    yield return item;
                }
            }
        }
    }

    public void Announce(List<InventoryItem> items)
    {
        for (int i = 0; i < _objects.Count; i++)
        {
            SharedObject item = _objects[i];
            items.Add(new InventoryItem(item.Key, default, 1, (uint)i, item.Claim | (item.IsWritableHere ? WritableBit : 0)));
        }
    }

    public void Resolve(uint self, CandidateTable candidates)
    {
        _self = self;
        foreach (SharedObject item in _objects)
        {
            ulong farthest = item.Claim;
            item.Creator = self;
            item.IsWritable = item.IsWritableHere;
            foreach (Candidate other in candidates.WithKey(item.Key))
            {
                ulong reach = other.Item.Auxiliary & ~WritableBit;
                item.IsWritable |= (other.Item.Auxiliary & WritableBit) != 0;
                item.Sharers.Add(other.Member);
                if (reach > farthest || (reach == farthest && other.Member < item.Creator))
                {
                    farthest = reach;
                    item.Creator = other.Member;
                }
            }

            item.SizeBytes = SizeOf(item) ?? farthest & ~1ul;
            item.IsMadeHere = item.Creator == self;
        }
    }

    /// <summary>How much of a mapping goes into this process's image, bytes from its start, and which pages of that.</summary>
    public (SavePolicy Policy, ulong Bytes) SavedHere(Mapping mapping)
    {
        if (Find(mapping) is not { } item || !IsSaved(item) || item.Creator != _self)
        {
            return (SavePolicy.Nothing, 0);
        }

        // Behind the end of a file there is nothing but SIGBUS.
        ulong inFile = item.SizeBytes > mapping.Offset ? (item.SizeBytes - mapping.Offset + 4095) & ~4095ul : 0;
        return item.IsSavedWhole || mapping.IsSwapped ? (SavePolicy.All, Math.Min(inFile, mapping.Bytes)) : (SavePolicy.Shared, mapping.Bytes);
    }

    /// <summary>Makes or receives every object and maps it where it was.</summary>
    public void Restore(DescriptorExchange exchange)
    {
        foreach (SharedObject item in _objects)
        {
            if (!IsPassedOn(item))
            {
                item.Descriptor = OpenUnchanged(item);
            }
            else if (item.Creator == _self)
            {
                item.Descriptor = IsSaved(item) ? Make(item) : OpenUnchanged(item);
                foreach (uint sharer in item.Sharers)
                {
                    exchange.Send(sharer, IdOf(item), item.Descriptor);
                }
            }
            else
            {
                exchange.Expect(IdOf(item));
            }
        }

        exchange.Complete();
        foreach (SharedObject item in _objects)
        {
            if (item.Descriptor < 0)
            {
                item.Descriptor = exchange.Take(IdOf(item));
            }

            foreach (Mapping mapping in item.Mappings)
            {
                if (item.Segment is not null)
                {
                    item.Segment.Attach(mapping);
                }
                else
                {
                    Map(item, mapping);
                }
            }
        }
    }

    /// <summary>When all members have mapped everything.</summary>
    public void Seal()
    {
        foreach (SharedObject item in _objects)
        {
            if (item.Creator == _self)
            {
                item.Segment?.MarkForRemoval();
            }
        }
    }

    public void CloseDescriptors()
    {
        foreach (SharedObject item in _objects)
        {
            if (IsPassedOn(item) && item.Creator != _self)
            {
                continue; // closed by the exchange
            }

            Kernel.Close(item.Descriptor);
        }
    }

    private static ulong? SizeOf(SharedObject item)
    {
        if (item.HasName)
        {
            return Kernel.Stat(item.Path, out FileStatus status) == 0 ? (ulong)status.SizeBytes : null;
        }

        return item.OpenBytes >= 0 ? (ulong)item.OpenBytes : item.Segment?.SizeBytes;
    }

    // What all members answer alike, also those that only read it and do not know how the writers save it.
    private static bool IsPassedOn(SharedObject item) => item.IsWritable || !item.HasName;

    // A file that nobody writes to through memory is an input: it must be there.
    private static bool IsSaved(SharedObject item) => (item.IsWritable && !item.IsSavedAsFile) || !item.HasName;

    private static DescriptionId IdOf(SharedObject item) => new(item.Key.High, item.Key.Low, 2ul << 32);

    private void Add(NamelessFile file)
    {
        var unmapped = new Mapping(0, 0, 0, true, 0, file.Device, file.Info.Status.Inode, file.Info.Link, "");
        SharedObject item = Find(unmapped) ?? Add(unmapped);
        file.Memory = item;
        item.OpenBytes = file.Info.Status.SizeBytes;
        item.IsOpenForWriting |= file.Info.AccessMode != Constant.O_RDONLY;
    }

    private SharedObject Add(Mapping mapping)
    {
        ResourceKey key = ObjectKeys.OfInode("memory" + mapping.Device, 0, mapping.Inode);
        foreach (SharedObject item in _objects)
        {
            if (item.Key == key)
            {
                item.Mappings.Add(mapping);
                return item;
            }
        }

        var added = new SharedObject(key, mapping);
        _objects.Add(added);
        return added;
    }

    private SharedObject? Find(Mapping mapping)
    {
        foreach (SharedObject item in _objects)
        {
            if (item.Inode == mapping.Inode && item.Device == mapping.Device)
            {
                return item;
            }
        }

        return null;
    }

    private static int OpenUnchanged(SharedObject item)
    {
        int fd = Kernel.Open(item.Path, (item.IsWritableHere ? Constant.O_RDWR : Constant.O_RDONLY) | Constant.O_CLOEXEC);
        return fd >= 0
            ? DescriptorNumbers.Raise(fd)
            : throw new CheckpointException($"cannot map {item.Path} again: {Errno.Text(fd)}. Put the file back and run dmrestart again.");
    }

    private static int Make(SharedObject item)
    {
        int fd;
        if (item.Segment is not null)
        {
            // It is found by its id; what the others get says that it is there.
            item.Segment.Make(item.Mappings);
            return DescriptorNumbers.Raise(Kernel.Open("/dev/null", Constant.O_RDONLY | Constant.O_CLOEXEC));
        }

        if (item.HasName)
        {
            Directories.MakeParents(item.Path);
            fd = Kernel.Open(item.Path, Constant.O_RDWR | Constant.O_CREAT | Constant.O_CLOEXEC, 0x180);
        }
        else
        {
            fd = item.Make();
        }

        if (fd < 0)
        {
            throw new CheckpointException($"cannot make the shared memory {item.Path} again: {Errno.Text(fd)}. Make its directory writable and run dmrestart again.");
        }

        fd = DescriptorNumbers.Raise(fd);
        // Emptied first: what the image does not have are holes, and the file may be there, newer, from before the restart.
        Kernel.Call(SystemCall.FTruncate, fd, item.HasName ? 0 : (long)item.SizeBytes);
        long error = Kernel.Call(SystemCall.FTruncate, fd, (long)item.SizeBytes);
        foreach (Mapping mapping in item.Mappings)
        {
            error = error < 0 ? error : CopyPresentPages(fd, mapping, item.SizeBytes);
        }

        return error >= 0
            ? fd
            : throw new CheckpointException($"cannot fill the shared memory {item.Path}: {Errno.Text(error)}. Make room (df {(item.HasName ? item.Path : "/dev/shm")}) and run dmrestart again.");
    }

    // The restorer has filled private memory at the place of the mapping; pages that it did not touch are holes.
    private static long CopyPresentPages(int fd, Mapping mapping, ulong sizeBytes)
    {
        const ulong Page = 4096, Step = 64 << 20;
        ulong end = Math.Min(mapping.End, mapping.Start + (sizeBytes > mapping.Offset ? sizeBytes - mapping.Offset : 0));
        byte[] resident = new byte[Step / Page];
        for (ulong at = mapping.Start; at < end; at += Step)
        {
            ulong bytes = Math.Min(Step, mapping.End - at);
            fixed (byte* pages = resident)
            {
                Kernel.Call(SystemCall.MInCore, (long)at, (long)bytes, (long)pages);
            }

            for (ulong i = 0; i < bytes / Page; i++)
            {
                ulong address = at + (i * Page);
                if ((resident[i] & 1) == 0 || address >= end)
                {
                    continue;
                }

                long length = (long)Math.Min(Page, end - address);
                long written = Kernel.Call(SystemCall.PWrite64, fd, (long)address, length, (long)(mapping.Offset + (address - mapping.Start)));
                if (written != length)
                {
                    return written < 0 ? written : -Errno.NoSpace;
                }
            }
        }

        return 0;
    }

    private static void Map(SharedObject item, Mapping mapping)
    {
        long result = Kernel.Call(
            SystemCall.MMap, (long)mapping.Start, (long)mapping.Bytes, mapping.Protection, Constant.MAP_SHARED | Constant.MAP_FIXED, item.Descriptor, (long)mapping.Offset);
        if (result < 0 && result > -4096)
        {
            throw new CheckpointException($"cannot map {item.Path} at {mapping.Start.ToString("x", CultureInfo.InvariantCulture)} again: {Errno.Text(result)}. Run dmrestart again.");
        }
    }
}
