namespace Dormouse.Runtime.Descriptors;

/// <summary>What cannot be restored yet: refused by name.</summary>
internal sealed class UnknownFile(DescriptorInfo info, string what) : OpenFile(info)
{
    /// <summary>Programs usually have such a thing for a moment only.</summary>
    public bool IsPassing { get; init; }

    public override string Kind => what;

    public override ResourceKey Key => ObjectKeys.OfFile(Info, what);

    public override void Capture()
        => throw new CheckpointException($"fd {Info.Fd} ({Info.Link}) is of a kind that cannot be restored yet: {what}. Close it before the checkpoint.") { IsPassing = IsPassing };

    public override int Reopen() => -Interop.Errno.Invalid;
}
