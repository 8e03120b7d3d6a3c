using System.Runtime.InteropServices;

namespace Dormouse.Runtime.Interop;

/// <summary>struct stat of x86-64, arch/x86/include/uapi/asm/stat.h; 144 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 144)]
internal struct FileStatus
{
    public ulong Device;
    public ulong Inode;
    public ulong Links;
    public uint Mode;
    public uint Uid;
    public uint Gid;
    public uint Padding;
    public ulong SpecialDevice;
    public long SizeBytes;
    public long BlockBytes;
    public long Blocks;
    public long AccessSeconds;
    public long AccessNanoseconds;
    public long ModifiedSeconds;
    public long ModifiedNanosecondsPart;
    public long ChangedSeconds;
    public long ChangedNanoseconds;

    /// <summary>S_IFMT of inode(7).</summary>
    public readonly uint Type => Mode & 0xF000;

    public readonly long ModifiedNanoseconds => (ModifiedSeconds * 1_000_000_000) + ModifiedNanosecondsPart;

    public const uint Fifo = 0x1000;
    public const uint CharacterDevice = 0x2000;
    public const uint Directory = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint Regular = 0x8000;
    public const uint SymbolicLink = 0xA000;
    public const uint Socket = 0xC000;
}
