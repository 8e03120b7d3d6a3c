using System;
using System.Globalization;

namespace Dormouse.Runtime.Memory;

/// <summary>One mapping of this process as /proc/self/smaps shows it.</summary>
/// <param name="Start">Inclusive.</param>
/// <param name="End">Exclusive.</param>
/// <param name="Protection">PROT_* bits.</param>
/// <param name="IsShared">MAP_SHARED.</param>
/// <param name="Offset">In the file, bytes.</param>
/// <param name="Device">major:minor as the kernel prints it.</param>
/// <param name="Inode">0 for anonymous memory.</param>
/// <param name="Name">Path or [name], unescaped; empty for anonymous memory.</param>
/// <param name="Flags">The two-letter VmFlags, separated by blanks: proc_pid_smaps(5).</param>
internal sealed record Mapping(
    ulong Start, ulong End, uint Protection, bool IsShared, ulong Offset, string Device, ulong Inode, string Name, string Flags)
{
    /// <summary>Whether pages of it are on swap: mincore(2) does not see those of shared memory.</summary>
    public bool IsSwapped { get; init; }

    public ulong Bytes => End - Start;

    /// <summary>Whether the file has no name any more.</summary>
    public bool IsDeleted => Name.EndsWith(" (deleted)", System.StringComparison.Ordinal);

    /// <summary>The path without the kernel's remark.</summary>
    public string Path => IsDeleted ? Name[..^" (deleted)".Length] : Name;

    /// <summary>The device as struct stat has it: new_encode_dev in include/linux/kdev_t.h.</summary>
    public ulong DeviceNumber
    {
        get
        {
            int colon = Device.IndexOf(':');
            ulong major = ulong.Parse(Device.AsSpan(0, colon), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong minor = ulong.Parse(Device.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return (minor & 0xFF) | (major << 8) | ((minor & ~0xFFul) << 12);
        }
    }

    public bool IsFile => Name.StartsWith('/');

    /// <summary>Whether it is the same memory, whatever its flags.</summary>
    public bool IsSameAs(Mapping other)
        => Start == other.Start && End == other.End && Protection == other.Protection && IsShared == other.IsShared
            && Offset == other.Offset && Inode == other.Inode && Device == other.Device && Name == other.Name;

    public bool Has(string flag) => Flags.Contains(flag, System.StringComparison.Ordinal);
}
