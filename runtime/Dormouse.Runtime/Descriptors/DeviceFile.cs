using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Character devices without state: null, zero, full, random; all others are refused by name.</summary>
internal sealed class DeviceFile(DescriptorInfo info) : OpenFile(info)
{
    public override string Kind => "device";

    public override ResourceKey Key => ObjectKeys.OfFile(Info, "device");

    public override void Capture()
    {
        if (Info.Path is not ("/dev/null" or "/dev/zero" or "/dev/full" or "/dev/random" or "/dev/urandom"))
        {
            throw new CheckpointException($"fd {Info.Fd} is {Info.Path}, a device that cannot be restored. Close it before the checkpoint.");
        }
    }

    public override int Reopen() => Kernel.Open(Info.Path, Info.Flags);
}
