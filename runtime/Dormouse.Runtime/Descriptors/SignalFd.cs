using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>signalfd(2): its mask, in fdinfo.</summary>
internal sealed unsafe class SignalFd(DescriptorInfo info) : AnonymousFile(info)
{
    private ulong _mask;

    public override string Kind => "signalfd";

    public override void Capture() => _mask = ulong.Parse(Info.Detail("sigmask:"), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public override int Reopen()
    {
        ulong mask = _mask;
        return (int)Kernel.Call(SystemCall.SignalFd4, -1, (long)&mask, sizeof(ulong), Info.Flags & Constant.O_NONBLOCK);
    }
}
