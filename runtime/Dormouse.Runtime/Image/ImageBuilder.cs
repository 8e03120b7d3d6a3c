// World: Frozen.
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Checkpoint;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Image;

/// <summary>Who this process is in the computation, for the header of its image.</summary>
internal readonly record struct ImageIdentity(ulong Computation, uint Generation, uint Member, uint ImageCount);

/// <summary>What was written.</summary>
internal readonly record struct ImageFigures(ulong MemoryBytes, ulong ImageBytes);

/// <summary>Plans an image and has native-shim write it: native-shim/include/dm_image.h.</summary>
internal sealed unsafe class ImageBuilder
{
    private const int SnapshotBytes = 8 << 20;
    private const int MostAttempts = 20;
    private const int MemoryLayoutOffset = 184;
    private readonly int _fd;
    private readonly string _path;
    private readonly ImageIdentity _identity;
    private readonly byte[] _header = GC.AllocateArray<byte>(ImageLayout.HeaderBytes, pinned: true);
    private readonly byte[] _threads;
    private readonly List<Mapping> _mappings;
    private readonly LibraryPages _library;
    private readonly List<Scratch> _scratch = [];

    /// <param name="library">What of our own library is in the image already.</param>
    /// <param name="mappings">Those of the suspended process, before anything was mapped for this image.</param>
    public ImageBuilder(int fd, string path, ImageIdentity identity, LibraryPages library, List<Mapping> mappings)
    {
        _path = path;
        _library = library;
        _mappings = mappings;
        _fd = fd;
        _identity = identity;
        _threads = ThreadTable();
    }

    /// <summary>Writes everything but does not sync. Returns null in the process that the restorer has made of the image.</summary>
    /// <param name="manifest">Gets the files that the mappings need added.</param>
    /// <param name="sharedSaved">What of a shared mapping this process saves.</param>
    /// <exception cref="CheckpointException">Out of disk space, a mapping that cannot be restored, …</exception>
    public ImageFigures? Write(ImageManifest manifest, Func<Mapping, (SavePolicy Policy, ulong Bytes)> sharedSaved)
    {
        // Our own garbage is not worth saving: all free memory of the heap goes back to the kernel.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Scratch before = AddScratch(SnapshotBytes), after = AddScratch(SnapshotBytes), working = AddScratch(WritePlan.ScratchBytes);
        ulong extentCapacity = ExtentCapacity();
        Scratch extents = AddScratch(extentCapacity * ImageLayout.ExtentBytes);
        NeededFile[] neededByDescriptors = manifest.NeededFiles;
        int bytesBefore = 0;
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            bytesBefore = Snapshot(before);
            MemoryPlan plan = MemoryPlan.Make(MapsReader.Read(_mappings, [.. _scratch, .. CapturedMemory.Pieces]), _scratch, _library, sharedSaved);
            uint exePath = plan.AddString(manifest.ExePath);
            manifest.NeededFiles = [.. neededByDescriptors, .. plan.NeededFiles];
            ulong firstFree = FillHeader(plan, manifest.Write(), exePath);
            byte[] vmas = Pinned(plan.Vmas), save = Pinned(plan.Save);
            fixed (byte* header = _header, vmaTable = vmas, saveTable = save, prepared = _library.Extents)
            {
                WritePlan order = new()
                {
                    Fd = _fd,
                    Codec = 0,
                    Header = header,
                    Vmas = vmaTable,
                    Save = saveTable,
                    VmaCount = (ulong)plan.VmaCount,
                    Extents = extents.Pointer,
                    ExtentCapacity = extentCapacity,
                    Prepared = prepared,
                    PreparedCount = (ulong)(_library.Extents.Length / ImageLayout.ExtentBytes),
                    FirstFree = firstFree,
                    Scratch = working.Pointer,
                    Self = Shim.Self()->Slot,
                };
                // Planning allocates, and may move the end of our own heap. From here on nothing does.
                if (Snapshot(after) != bytesBefore || !SameText(before, after, bytesBefore))
                {
                    continue;
                }

                int result = Shim.WriteImage(&order);
                if (result == 1)
                {
                    return null;
                }

                ReleaseScratch();
                return result == 0
                    ? new ImageFigures(order.MemoryBytes, order.ImageBytes)
                    : throw new CheckpointException(ImageFailure.Describe(_path, result));
            }
        }

        string change = MapDifference.Describe(before, after, bytesBefore);
        ReleaseScratch();
        throw new CheckpointException($"the memory map of the process keeps changing while all its threads are suspended ({change}). Does another process write to it with ptrace? Try again.");
    }

    /// <summary>Unmaps the working memory; also in a restored process.</summary>
    public void ReleaseScratch()
    {
        foreach (Scratch scratch in _scratch)
        {
            scratch.Unmap();
        }

        _scratch.Clear();
    }

    private Scratch AddScratch(ulong bytes)
    {
        Scratch scratch = Scratch.Map(bytes);
        _scratch.Add(scratch);
        return scratch;
    }

    private static byte[] Pinned(byte[] bytes)
    {
        byte[] copy = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(copy, 0);
        return copy;
    }

    // No extent is smaller than a page, and only pages that exist somewhere are saved: resident, swapped or shared ones.
    private ulong ExtentCapacity()
    {
        ulong pages = 4096;
        foreach (string line in ProcFile.ReadText("/proc/self/status").Split('\n'))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal) || line.StartsWith("VmSwap:", StringComparison.Ordinal))
            {
                pages += ulong.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), System.Globalization.CultureInfo.InvariantCulture) / 4;
            }
        }

        foreach (Mapping mapping in _mappings)
        {
            if (mapping.IsShared || mapping.IsDeleted)
            {
                pages += mapping.Bytes / 4096;
            }
        }

        return pages;
    }

    private static int Snapshot(Scratch into)
    {
        int fd = Kernel.Open("/proc/self/maps", Constant.O_RDONLY | Constant.O_CLOEXEC);
        int length = 0;
        long got;
        while ((got = Kernel.Call(SystemCall.Read, fd, (long)(into.Pointer + length), (long)into.Bytes - length)) > 0)
        {
            length += (int)got;
        }

        Kernel.Close(fd);
        return length;
    }

    private static bool SameText(Scratch left, Scratch right, int length)
        => new ReadOnlySpan<byte>(left.Pointer, length).SequenceEqual(new ReadOnlySpan<byte>(right.Pointer, length));

    // struct dm_image_thread: u32 tid, flags | u64 fs base, slot. Ours is DM_THREAD_CHECKPOINT | DM_THREAD_GIVES_UP.
    private static byte[] ThreadTable()
    {
        uint count;
        ThreadSlot* slots = Shim.SuspendedSlots(&count);
        ShimSelf* self = Shim.Self();
        var table = new List<byte>();
        int pid = Kernel.Pid;
        for (uint i = 0; i < count; i++)
        {
            if (slots[i].State == ThreadSlot.Parked)
            {
                AddThread(table, slots[i].Tid, slots[i].Tid == pid ? 1u : 0u, slots[i].FsBase, &slots[i]);
            }
        }

        AddThread(table, self->Tid, 2 | 8, self->FsBase, self->Slot);
        return table.ToArray();
    }

    private static void AddThread(List<byte> table, uint tid, uint flags, ulong fsBase, ThreadSlot* slot)
    {
        Span<byte> record = stackalloc byte[ImageLayout.ThreadBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(record, tid);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], fsBase);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], (ulong)slot);
        table.AddRange(record);
    }

    /// <returns>Where the file goes on.</returns>
    private ulong FillHeader(MemoryPlan plan, byte[] manifest, uint exePath)
    {
        Array.Clear(_header);
        byte[] vmas = plan.Vmas, strings = plan.Strings;
        ulong manifestOffset = Aligned(_library.End);
        ulong vmaOffset = Aligned(manifestOffset + (ulong)manifest.Length);
        ulong threadOffset = vmaOffset + (ulong)vmas.Length;
        ulong stringsOffset = threadOffset + (ulong)_threads.Length;
        Put(manifest, manifestOffset);
        Put(vmas, vmaOffset);
        Put(_threads, threadOffset);
        Put(strings, stringsOffset);

        ShimSelf* self = Shim.Self();
        var writer = new HeaderWriter(_header);
        writer.Bytes(ImageLayout.Magic);
        writer.UInt32s(ImageLayout.Version, ImageLayout.MachineX64, ImageLayout.HeaderBytes, 4096);
        writer.UInt64s(_identity.Computation);
        writer.UInt32s(_identity.Generation, _identity.Member, _identity.ImageCount, (uint)Kernel.Pid);
        writer.UInt64s(0);
        writer.UInt64s(manifestOffset, (ulong)manifest.Length, vmaOffset, (ulong)plan.VmaCount);
        writer.UInt64s(threadOffset, (ulong)_threads.Length / ImageLayout.ThreadBytes, stringsOffset, (ulong)strings.Length);
        writer.UInt64s(0, 0);
        writer.UInt32s(Crc32C.Of(manifest), Crc32C.Of(vmas), Crc32C.Of(_threads), Crc32C.Of(strings), 0, 0);
        writer.UInt64s(self->RestoredEntry, (ulong)self->RestartInfo, self->Signature);
        MemoryLayout.Write(ref writer, exePath);
        return stringsOffset + (ulong)strings.Length;
    }

    private void Put(byte[] bytes, ulong offset)
    {
        int error = Kernel.WriteAllAt(_fd, bytes, (long)offset);
        if (error < 0)
        {
            throw new CheckpointException(ImageFailure.Describe(_path, error));
        }
    }

    private static ulong Aligned(ulong offset) => (offset + 7) & ~7ul;
}
