namespace Dormouse.Protocol;

/// <summary>Command to coordinator: end all members.</summary>
/// <remarks>No fields. Answer, when their connections are gone: <see cref="CommandDone"/> or <see cref="CommandFailed"/>.</remarks>
public readonly record struct KillCommand : IMessage<KillCommand>
{
    public static FrameKind Kind => FrameKind.KillCommand;

    public void Write(ref MessageWriter writer)
    {
    }

    public static KillCommand Read(ref MessageReader reader) => default;
}
