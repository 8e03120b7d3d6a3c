// World: Frozen.
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Memory;

/// <summary>What the image writer saves of a mapping: enum dm_save of native-shim/src/writer.h.</summary>
internal enum SavePolicy : byte
{
    Nothing = 0,
    Anonymous = 1,
    Changed = 2,
    Shared = 3,
    All = 4,
    Prepared = 5,
}

/// <summary>Decides for every mapping of the process how it comes back.</summary>
internal sealed class MemoryPlan
{
    private const ulong FirstKernelAddress = 0x8000_0000_0000;
    private readonly Dictionary<string, uint> _stringOffsets = [];
    private readonly List<byte> _strings = [];
    private readonly List<byte> _vmas = [];
    private readonly List<byte> _save = [];

    public int VmaCount => _save.Count;

    public byte[] Vmas => _vmas.ToArray();

    public byte[] Save => _save.ToArray();

    public byte[] Strings => _strings.ToArray();

    public List<NeededFile> NeededFiles { get; } = [];

    /// <summary>Upper bound of what will be written, bytes.</summary>
    public ulong MappedBytes { get; private set; }

    /// <param name="mappings">As read now.</param>
    /// <param name="scratch">Our own working memory.</param>
    /// <param name="library">Our own library's pages.</param>
    /// <param name="sharedSaved">What of a shared mapping this process saves, and how many bytes from its start.</param>
    /// <exception cref="CheckpointException">A mapping cannot be restored.</exception>
    public static MemoryPlan Make(List<Mapping> mappings, IReadOnlyList<Scratch> scratch, LibraryPages library, Func<Mapping, (SavePolicy Policy, ulong Bytes)> sharedSaved)
    {
        var plan = new MemoryPlan();
        foreach (Mapping mapping in mappings)
        {
            if (LibraryPages.Shows(mapping))
            {
                library.Split(mapping, plan.AddLibrary);
            }
            else if (mapping.Start < FirstKernelAddress)
            {
                plan.AddSplit(mapping, scratch, sharedSaved);
            }
        }

        return plan;
    }

    public uint AddString(string text)
    {
        if (!_stringOffsets.TryGetValue(text, out uint offset))
        {
            offset = (uint)_strings.Count;
            _strings.AddRange(Kernel.Terminated(text));
            _stringOffsets.Add(text, offset);
        }

        return offset;
    }

    // The kernel merges our scratch memory with neighbours that have the same flags.
    private void AddSplit(Mapping mapping, IReadOnlyList<Scratch> scratch, Func<Mapping, (SavePolicy Policy, ulong Bytes)> sharedSaved)
    {
        foreach (Scratch own in scratch)
        {
            ulong ownEnd = own.Start + own.Bytes;
            if (own.Start >= mapping.End || ownEnd <= mapping.Start)
            {
                continue;
            }

            if (own.Start > mapping.Start)
            {
                AddSplit(mapping with { End = own.Start }, scratch, sharedSaved);
            }

            Mapping inside = mapping with { Start = Math.Max(own.Start, mapping.Start), End = Math.Min(ownEnd, mapping.End) };
            AddRecord(inside, VmaKind.Scratch, SavePolicy.Nothing, ImageLayout.NoPath, default);
            if (ownEnd < mapping.End)
            {
                AddSplit(mapping with { Start = ownEnd }, scratch, sharedSaved);
            }

            return;
        }

        Add(mapping, sharedSaved);
    }

    private void Add(Mapping mapping, Func<Mapping, (SavePolicy Policy, ulong Bytes)> sharedSaved)
    {
        switch (mapping.Name)
        {
            case "[vdso]":
                AddRecord(mapping, VmaKind.Vdso, SavePolicy.All, ImageLayout.NoPath, default, VmaFlags.Stored);
                return;
            case "[vvar]":
                AddRecord(mapping, VmaKind.Vvar, SavePolicy.Nothing, ImageLayout.NoPath, default);
                return;
            case "[vvar_vclock]":
                AddRecord(mapping, VmaKind.VvarClock, SavePolicy.Nothing, ImageLayout.NoPath, default);
                return;
        }

        Refuse(mapping);
        if (mapping.IsShared)
        {
            AddShared(mapping, sharedSaved(mapping));
        }
        else if (!mapping.IsFile)
        {
            // A random generator's state must not be the same in two restarts of one image: it comes back empty.
            bool comesBackEmpty = mapping.Has(" wf") || mapping.Has(" dp");
            AddRecord(mapping, VmaKind.Anonymous, comesBackEmpty ? SavePolicy.Nothing : SavePolicy.Anonymous, ImageLayout.NoPath, default);
        }
        else
        {
            AddPrivateFile(mapping);
        }
    }

    // The restorer takes the library's file while it is the one of the checkpoint, which saves memory; else the image's copy.
    private void AddLibrary(Mapping mapping, bool isPrepared)
    {
        if (!isPrepared)
        {
            AddRecord(mapping, VmaKind.Anonymous, mapping.IsFile ? SavePolicy.All : SavePolicy.Anonymous, ImageLayout.NoPath, default);
        }
        else if (mapping.IsFile && !mapping.IsDeleted && Kernel.Stat(mapping.Path, out FileStatus status) == 0 && status.Inode == mapping.Inode)
        {
            AddRecord(mapping, VmaKind.File, SavePolicy.Prepared, AddString(mapping.Path), status, VmaFlags.Stored);
        }
        else
        {
            AddRecord(mapping, VmaKind.Anonymous, SavePolicy.Prepared, ImageLayout.NoPath, default);
        }
    }

    private void AddShared(Mapping mapping, (SavePolicy Policy, ulong Bytes) saved)
    {
        ulong end = mapping.Start + saved.Bytes;
        if (saved.Bytes > 0)
        {
            AddRecord(mapping with { End = end }, VmaKind.Shared, saved.Policy, ImageLayout.NoPath, default);
        }

        if (end < mapping.End)
        {
            Mapping rest = mapping with { Start = end, Offset = mapping.Offset + saved.Bytes };
            AddRecord(rest, VmaKind.Shared, SavePolicy.Nothing, ImageLayout.NoPath, default);
        }
    }

    private static void Refuse(Mapping mapping)
    {
        if (mapping.Has(" ss"))
        {
            throw new CheckpointException("the program uses a shadow stack (CET), which cannot be restored yet. Start it with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off.");
        }

        if (mapping.Has(" um") || mapping.Has(" uw"))
        {
            throw new CheckpointException($"memory at {mapping.Start:x} is registered with userfaultfd, which cannot be restored. Close the userfaultfd before the checkpoint.");
        }

        if (mapping.Name.StartsWith("/dev/", StringComparison.Ordinal) && mapping.Name != "/dev/zero"
            && !mapping.Name.StartsWith("/dev/shm/", StringComparison.Ordinal) && !mapping.Name.StartsWith("/dev/zero ", StringComparison.Ordinal)
            && !mapping.Name.StartsWith("/dev/hugepages/", StringComparison.Ordinal))
        {
            throw new CheckpointException($"the memory of device {mapping.Path} is mapped at {mapping.Start:x}, which cannot be restored. Run the program without this device.");
        }
    }

    private void AddPrivateFile(Mapping mapping)
    {
        if (mapping.Name == "/dev/zero")
        {
            AddRecord(mapping, VmaKind.Anonymous, SavePolicy.Changed, ImageLayout.NoPath, default);
            return;
        }

        bool isThere = !mapping.IsDeleted && Kernel.Stat(mapping.Path, out FileStatus status) == 0 && status.Inode == mapping.Inode;
        if (!isThere)
        {
            AddRecord(mapping, VmaKind.Anonymous, SavePolicy.All, ImageLayout.NoPath, default);
            return;
        }

        Kernel.Stat(mapping.Path, out status);
        NeedFile(mapping.Path, status);
        AddRecord(mapping, VmaKind.File, SavePolicy.Changed, AddString(mapping.Path), status);
    }

    private void NeedFile(string path, FileStatus status)
    {
        foreach (NeededFile needed in NeededFiles)
        {
            if (needed.Path == path)
            {
                return;
            }
        }

        NeededFiles.Add(new NeededFile(path, status.SizeBytes, status.ModifiedNanoseconds, "mapped"));
    }

    private void AddRecord(Mapping mapping, VmaKind kind, SavePolicy save, uint path, FileStatus status, VmaFlags flags = VmaFlags.None)
    {
        Span<byte> record = stackalloc byte[ImageLayout.VmaBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(record, mapping.Start);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], mapping.End);
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], mapping.Protection);
        BinaryPrimitives.WriteUInt32LittleEndian(record[20..], MapFlags(mapping));
        BinaryPrimitives.WriteUInt32LittleEndian(record[24..], (uint)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(record[28..], Advice(mapping));
        BinaryPrimitives.WriteUInt64LittleEndian(record[32..], mapping.Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(record[40..], path);
        BinaryPrimitives.WriteUInt32LittleEndian(record[44..], (uint)flags);
        BinaryPrimitives.WriteUInt64LittleEndian(record[48..], (ulong)status.SizeBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(record[56..], (ulong)status.ModifiedNanoseconds);
        _vmas.AddRange(record);
        _save.Add((byte)save);
        if (save != SavePolicy.Nothing)
        {
            MappedBytes += mapping.Bytes;
        }
    }

    private static uint MapFlags(Mapping mapping)
        => (mapping.Has(" gd") ? (uint)Constant.MAP_GROWSDOWN : 0) | (mapping.Has(" nr") ? (uint)Constant.MAP_NORESERVE : 0);

    // enum dm_vma_advice
    private static uint Advice(Mapping mapping)
        => (mapping.Has(" dc") ? 1u : 0) | (mapping.Has(" dd") ? 2u : 0) | (mapping.Has(" hg") ? 4u : 0) | (mapping.Has(" nh") ? 8u : 0)
            | (mapping.Has(" mg") ? 16u : 0) | (mapping.Has(" wf") ? 32u : 0) | (mapping.Has(" lo") ? 64u : 0);
}
