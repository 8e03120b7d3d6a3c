// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>The settings of a pseudo-terminal, as its master shows them: ioctl_tty(2), termios(3).</summary>
internal sealed unsafe class PtyState
{
    private const uint SetLock = 0x40045431, GetLock = 0x80045439, GetPacketMode = 0x80045438, SetPacketMode = 0x5420;
    private const uint GetSize = 0x5413, SetSize = 0x5414, GetExclusive = 0x80045440, SetExclusive = 0x540C;
    private readonly byte[] _size = new byte[8];
    private bool _isExclusive;
    private FileStatus? _node;

    public Termios Termios { get; private set; } = new();

    public bool IsLocked { get; private set; }

    public bool IsPacketMode { get; private set; }

    public void Capture(int master)
    {
        Termios = Termios.Of(master);
        IsLocked = Flag(master, GetLock);
        IsPacketMode = Flag(master, GetPacketMode);
        fixed (byte* size = _size)
        {
            Kernel.Ioctl(master, GetSize, size);
        }
    }

    /// <summary>What only the slave shows: exclusive mode, and the owner and mode of its node.</summary>
    public void CaptureSlave(int slave)
    {
        _isExclusive = Flag(slave, GetExclusive);
        _node = Kernel.FStat(slave, out FileStatus node) == 0 ? node : null;
    }

    public void Restore(int master)
    {
        Termios.ApplyTo(master);
        fixed (byte* size = _size)
        {
            Kernel.Ioctl(master, SetSize, size);
        }
    }

    /// <summary>As grantpt(3) and chmod(1) had left the node. Without the right to do so it stays the restarting user's.</summary>
    public void RestoreNode(int slave)
    {
        if (_node is { } node && Kernel.FStat(slave, out FileStatus now) == 0 && (now.Uid != node.Uid || now.Gid != node.Gid || now.Mode != node.Mode))
        {
            Kernel.Call(SystemCall.FChOwn, slave, node.Uid, node.Gid);
            Kernel.Call(SystemCall.FChMod, slave, node.Mode & 0xFFF);
        }
    }

    /// <summary>What would have kept us from opening the slave: last.</summary>
    public void Close(int master, int slave)
    {
        if (_isExclusive && slave >= 0)
        {
            Kernel.Call(SystemCall.Ioctl, slave, SetExclusive);
        }

        Lock(master, IsLocked);
    }

    public static void Lock(int master, bool isLocked) => Set(master, SetLock, isLocked);

    public static void PacketMode(int master, bool isOn) => Set(master, SetPacketMode, isOn);

    private static bool Flag(int fd, uint request)
    {
        int value = 0;
        return Kernel.Ioctl(fd, request, &value) == 0 && value != 0;
    }

    private static void Set(int fd, uint request, bool isOn)
    {
        int value = isOn ? 1 : 0;
        Kernel.Ioctl(fd, request, &value);
    }
}
