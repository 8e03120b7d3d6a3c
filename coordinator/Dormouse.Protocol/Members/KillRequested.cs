namespace Dormouse.Protocol;

/// <summary>Coordinator to member: the process ends now, as if by SIGKILL.</summary>
/// <remarks>No fields.</remarks>
public readonly record struct KillRequested : IMessage<KillRequested>
{
    public static FrameKind Kind => FrameKind.KillRequested;

    public void Write(ref MessageWriter writer)
    {
    }

    public static KillRequested Read(ref MessageReader reader) => default;
}
