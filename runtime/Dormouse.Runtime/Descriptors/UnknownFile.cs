namespace Dormouse.Runtime.Descriptors;

/// <summary>What cannot be restored yet: refused by name.</summary>
internal sealed class UnknownFile(DescriptorInfo info, string what) : OpenFile(info)
{
    /// <summary>Programs usually have such a thing for a moment only.</summary>
    public bool IsPassing { get; init; }

    public override string Kind => what;

    public override ResourceKey Key => ObjectKeys.OfFile(Info, what);

    public override void Capture()
        => throw new CheckpointException($"fd {Info.Fd} ({Info.Link}) is of a kind that cannot be restored yet: {what}. {Advice}") { IsPassing = IsPassing };

    // io_uring_setup(2) since Linux 6.6. MariaDB and others look for another way where it fails.
    private string Advice => what.Contains("io_uring", StringComparison.Ordinal)
        ? "Start the program without it (an option of its own, or sysctl kernel.io_uring_disabled=2 for all); most look for another way then."
        : "Close it before the checkpoint.";

    public override int Reopen() => -Interop.Errno.Invalid;
}
