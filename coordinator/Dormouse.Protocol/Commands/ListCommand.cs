namespace Dormouse.Protocol;

/// <summary>Command to coordinator: who is there?</summary>
/// <remarks>No fields. Answer: one <see cref="MemberReport"/> each, then <see cref="CommandDone"/>.</remarks>
public readonly record struct ListCommand : IMessage<ListCommand>
{
    public static FrameKind Kind => FrameKind.ListCommand;

    public void Write(ref MessageWriter writer)
    {
    }

    public static ListCommand Read(ref MessageReader reader) => default;
}
