// World: Frozen (capture), restored process (reopen, finish).
using System;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// A regular file that no path leads to: unlinked, or of memfd_create(2). The file itself is a <see cref="SharedObject"/>, since memory
/// and several descriptions, of several processes, may show it.
/// </summary>
internal sealed class NamelessFile(DescriptorInfo info) : OpenFile(info)
{
    private const int AddSeals = 1033, GetSeals = 1034;
    private int _seals;

    public override string Kind => IsMemory ? "memfd" : "unlinked file";

    public override ResourceKey Key => ObjectKeys.OfFile(Info, "file");

    /// <summary>Set when the inventory of shared memory is made.</summary>
    public SharedObject? Memory { get; set; }

    /// <summary>Device as /proc/self/maps writes it.</summary>
    public string Device
    {
        get
        {
            ulong device = Info.Status.Device;
            ulong major = (device >> 8) & 0xFFF, minor = (device & 0xFF) | ((device >> 12) & 0xFFF00);
            return $"{major:x2}:{minor:x2}";
        }
    }

    public override string? Loss
        => Info.Status.Links == 0 ? null : $"fd {Info.Fd} ({Info.Link}): another name of this file is in another directory; after a restart that name does not lead to it";

    private bool IsMemory => Info.Path.StartsWith(SharedObject.MemoryFilePrefix, StringComparison.Ordinal);

    public override void Capture()
    {
        _seals = IsMemory ? Math.Max(Kernel.Fcntl(Info.Fd, GetSeals), 0) : 0;
        Memory!.Seals = _seals;
        Memory.CaptureThrough(this);
    }

    public override int Reopen()
    {
        int fd = Again(Info.Flags & ~(Constant.O_CREAT | Constant.O_EXCL | Constant.O_TRUNC | Constant.O_TMPFILE));
        if (fd >= 0)
        {
            Kernel.Seek(fd, Info.Position, Constant.SEEK_SET);
        }

        return fd;
    }

    /// <summary>Seals forbid what restoring does, so they come last: when all have mapped it.</summary>
    public override void Finish()
    {
        if (_seals != 0)
        {
            int fd = Kernel.Open(ProcFile.DescriptorPath(Descriptors[0].Fd), Constant.O_RDWR | Constant.O_CLOEXEC);
            Kernel.Fcntl(fd, AddSeals, _seals);
            Kernel.Close(fd);
        }
    }

    private int Again(int flags) => Kernel.Open(ProcFile.DescriptorPath(Memory!.Descriptor), flags & ~Constant.O_NOFOLLOW); // the entry itself is a link
}
