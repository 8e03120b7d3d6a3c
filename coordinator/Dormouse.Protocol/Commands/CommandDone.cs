namespace Dormouse.Protocol;

/// <summary>Coordinator to command: done.</summary>
/// <remarks>No fields. Nothing follows.</remarks>
public readonly record struct CommandDone : IMessage<CommandDone>
{
    public static FrameKind Kind => FrameKind.CommandDone;

    public void Write(ref MessageWriter writer)
    {
    }

    public static CommandDone Read(ref MessageReader reader) => default;
}
