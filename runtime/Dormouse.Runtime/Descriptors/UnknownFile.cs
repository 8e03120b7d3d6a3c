namespace Dormouse.Runtime.Descriptors;

/// <summary>What cannot be restored yet: refused by name.</summary>
internal sealed class UnknownFile(DescriptorInfo info, string what) : OpenFile(info)
{
    public override string Kind => what;

    public override ResourceKey Key => ObjectKeys.OfFile(Info, what);

    public override void Capture()
        => throw new CheckpointException($"fd {Info.Fd} ({Info.Link}) is of a kind that cannot be restored yet: {what}. Close it before the checkpoint.");

    public override int Reopen() => -Interop.Errno.Invalid;
}
