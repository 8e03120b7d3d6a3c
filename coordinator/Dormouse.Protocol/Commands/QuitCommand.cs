namespace Dormouse.Protocol;

/// <summary>Command to coordinator: end all members and yourself.</summary>
/// <remarks>No fields. Answer: as for <see cref="KillCommand"/>.</remarks>
public readonly record struct QuitCommand : IMessage<QuitCommand>
{
    public static FrameKind Kind => FrameKind.QuitCommand;

    public void Write(ref MessageWriter writer)
    {
    }

    public static QuitCommand Read(ref MessageReader reader) => default;
}
