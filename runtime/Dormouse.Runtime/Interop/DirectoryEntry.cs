// World: Guest and Frozen.
using System;
using System.Buffers.Binary;

namespace Dormouse.Runtime.Interop;

/// <summary>One of the records that getdents64(2) gives.</summary>
/// <remarks>struct linux_dirent64: u64 inode | s64 offset | u16 record bytes | u8 type | name, ended by 0.</remarks>
internal readonly ref struct DirectoryEntry
{
    private const int BytesAt = 16, NameAt = 19;
    private readonly ReadOnlySpan<byte> _record;

    private DirectoryEntry(ReadOnlySpan<byte> record) => _record = record;

    public ulong Inode => BinaryPrimitives.ReadUInt64LittleEndian(_record);

    public ReadOnlySpan<byte> Name
    {
        get
        {
            ReadOnlySpan<byte> text = _record[NameAt..];
            return text[..text.IndexOf((byte)0)];
        }
    }

    /// <summary>Takes the first one off <paramref name="rest"/>, which must not be empty.</summary>
    public static DirectoryEntry Take(ref ReadOnlySpan<byte> rest)
    {
        int bytes = BinaryPrimitives.ReadUInt16LittleEndian(rest[BytesAt..]);
        var entry = new DirectoryEntry(rest[..bytes]);
        rest = rest[bytes..];
        return entry;
    }
}
