using System.Buffers.Binary;

namespace Dormouse.Protocol.Image;

/// <summary>What the restorer does with a mapping: enum dm_vma_kind.</summary>
public enum VmaKind : uint
{
    /// <summary>Not set.</summary>
    None = 0,

    /// <summary>Private anonymous memory.</summary>
    Anonymous = 1,

    /// <summary>Private mapping of a file.</summary>
    File = 2,

    /// <summary>Shared memory.</summary>
    Shared = 3,

    /// <summary>Memory of Dormouse itself that comes back empty.</summary>
    Scratch = 4,

    /// <summary>The kernel's code page.</summary>
    Vdso = 5,

    /// <summary>The kernel's data pages.</summary>
    Vvar = 6,

    /// <summary>The kernel's clock pages.</summary>
    VvarClock = 7,
}

/// <summary>More about a mapping: enum dm_vma_flag.</summary>
[Flags]
public enum VmaFlags : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The image has all of it, for when the file, or the kernel's page, is not the same any more.</summary>
    Stored = 1,
}

/// <summary>A mapping: struct dm_image_vma.</summary>
/// <remarks>
/// u64 start, end | u32 prot, map flags, kind, advice | u64 file offset | u32 path, flags | u64 file bytes, file mtime; 64 bytes.
/// </remarks>
public readonly record struct ImageVma(
    ulong Start, ulong End, uint Protection, uint MapFlags, VmaKind Kind, uint Advice, ulong FileOffset, uint Path,
    VmaFlags Flags, ulong FileSizeBytes, ulong FileModifiedNanoseconds)
{
    internal static ImageVma Read(ReadOnlySpan<byte> record)
        => new(
            BinaryPrimitives.ReadUInt64LittleEndian(record),
            BinaryPrimitives.ReadUInt64LittleEndian(record[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[20..]),
            (VmaKind)BinaryPrimitives.ReadUInt32LittleEndian(record[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[28..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[40..]),
            (VmaFlags)BinaryPrimitives.ReadUInt32LittleEndian(record[44..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[48..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[56..]));
}

/// <summary>A thread: struct dm_image_thread.</summary>
/// <remarks>u32 tid, flags | u64 fs base, slot; 24 bytes.</remarks>
public readonly record struct ImageThread(int Tid, uint Flags, ulong FsBase, ulong Slot)
{
    internal static ImageThread Read(ReadOnlySpan<byte> record)
        => new(
            BinaryPrimitives.ReadInt32LittleEndian(record),
            BinaryPrimitives.ReadUInt32LittleEndian(record[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[16..]));
}

/// <summary>A piece of memory: struct dm_image_extent.</summary>
/// <remarks>u64 address, file offset | u32 bytes of memory, stored bytes, codec, checksum of the stored bytes; 32 bytes.</remarks>
public readonly record struct ImageExtent(ulong Address, ulong FileOffset, uint Bytes, uint StoredBytes, uint Codec, uint Checksum)
{
    internal static ImageExtent Read(ReadOnlySpan<byte> record)
        => new(
            BinaryPrimitives.ReadUInt64LittleEndian(record),
            BinaryPrimitives.ReadUInt64LittleEndian(record[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[28..]));
}
