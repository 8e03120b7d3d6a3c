// fdinfo: clockid, ticks, settime flags, it_value, it_interval: proc_pid_fdinfo(5), fs/timerfd.c.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>timerfd_create(2): clock, time left and interval.</summary>
internal sealed unsafe class TimerFd(DescriptorInfo info) : AnonymousFile(info)
{
    private int _clock;
    private ulong _ticks;
    private readonly long[] _setting = new long[4]; // struct itimerspec: interval, value

    public override string Kind => "timerfd";

    public override string? Loss => _ticks > 1 ? $"fd {Info.Fd} (timerfd): {_ticks} expirations not read yet will be read as 1" : null;

    public override void Capture()
    {
        _clock = int.Parse(Info.Detail("clockid:"), CultureInfo.InvariantCulture);
        _ticks = ulong.Parse(Info.Detail("ticks:"), CultureInfo.InvariantCulture);
        fixed (long* setting = _setting)
        {
            Kernel.Call(SystemCall.TimerFdGetTime, Info.Fd, (long)setting);
        }
    }

    public override int Reopen()
    {
        int fd = (int)Kernel.Call(SystemCall.TimerFdCreate, _clock, Info.Flags & Constant.O_NONBLOCK);
        long* setting = stackalloc long[4];
        _setting.AsSpan().CopyTo(new Span<long>(setting, 4));
        if (_ticks != 0)
        {
            // Expired and unread: it must be readable at once.
            setting[2] = 0;
            setting[3] = 1;
        }

        if (fd >= 0 && (setting[2] != 0 || setting[3] != 0))
        {
            Kernel.Call(SystemCall.TimerFdSetTime, fd, 0, (long)setting, 0);
        }

        return fd;
    }
}
