using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>eventfd(2): the counter and the semaphore flag, both in fdinfo.</summary>
internal sealed class EventFd(DescriptorInfo info) : AnonymousFile(info)
{
    private const int SemaphoreFlag = 1;
    private ulong _count;
    private bool _isSemaphore;

    public override string Kind => "eventfd";

    public override void Capture()
    {
        _count = ulong.Parse(Info.Detail("eventfd-count:"), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        _isSemaphore = Info.Detail("eventfd-semaphore:") == "1";
    }

    public override int Reopen()
    {
        int fd = (int)Kernel.Call(SystemCall.EventFd2, 0, (Info.Flags & Constant.O_NONBLOCK) | (_isSemaphore ? SemaphoreFlag : 0));
        if (fd >= 0 && _count != 0)
        {
            System.Span<byte> count = stackalloc byte[8];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(count, _count);
            Kernel.Write(fd, count);
        }

        return fd;
    }
}
