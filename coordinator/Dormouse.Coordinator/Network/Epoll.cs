using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Coordinator.Network;

/// <summary>Waits for many descriptors at once, on the calling thread. See epoll(7).</summary>
/// <remarks>
/// .NET's asynchronous sockets would hand every event from their own thread to a pool thread and from there to ours; a barrier of
/// many processes is as fast as its slowest message.
/// </remarks>
internal sealed partial class Epoll : IDisposable
{
    public const uint Readable = 0x1;
    public const uint Writable = 0x4;

    private const int EPOLL_CLOEXEC = 0x80000;
    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const int EPOLL_CTL_MOD = 3;
    private const int EINTR = 4;

    private readonly SafeFileHandle _handle = new(epoll_create1(EPOLL_CLOEXEC), ownsHandle: true);
    private readonly EpollEvent[] _events = new EpollEvent[256];

    public void Add(nint fd, uint events) => Control(EPOLL_CTL_ADD, fd, events);

    public void Change(nint fd, uint events) => Control(EPOLL_CTL_MOD, fd, events);

    public void Remove(nint fd) => Control(EPOLL_CTL_DEL, fd, 0);

    /// <param name="timeout">Negative: without end.</param>
    /// <returns>Descriptors that are ready or broken; valid until the next call.</returns>
    public ReadOnlySpan<EpollEvent> Wait(TimeSpan timeout)
    {
        // Rounded up: waking a millisecond early means waking twice.
        int milliseconds = timeout < TimeSpan.Zero ? -1 : (int)Math.Min(Math.Ceiling(timeout.TotalMilliseconds), int.MaxValue);
        int count = epoll_wait((int)_handle.DangerousGetHandle(), _events, _events.Length, milliseconds);
        if (count >= 0) return _events.AsSpan(0, count);
        int error = Marshal.GetLastPInvokeError();
        return error == EINTR ? default : throw new IOException($"epoll_wait: error {error}");
    }

    public void Dispose() => _handle.Dispose();

    private void Control(int operation, nint fd, uint events)
    {
        EpollEvent description = new() { Events = events, Fd = (int)fd };
        if (epoll_ctl((int)_handle.DangerousGetHandle(), operation, (int)fd, in description) != 0)
            throw new IOException($"epoll_ctl: error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, in EpollEvent description);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, [Out] EpollEvent[] events, int maximum, int milliseconds);
}

/// <summary>struct epoll_event; packed on x86-64 only (include/uapi/linux/eventpoll.h, EPOLL_PACKED).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct EpollEvent
{
    public uint Events;
    public int Fd;
    public int Unused;
}
