namespace Dormouse.Protocol;

/// <summary>Command to coordinator: how are things?</summary>
/// <remarks>No fields. Answer: <see cref="StatusReport"/>.</remarks>
public readonly record struct StatusCommand : IMessage<StatusCommand>
{
    public static FrameKind Kind => FrameKind.StatusCommand;

    public void Write(ref MessageWriter writer)
    {
    }

    public static StatusCommand Read(ref MessageReader reader) => default;
}
