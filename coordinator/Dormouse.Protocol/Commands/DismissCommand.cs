namespace Dormouse.Protocol;

/// <summary>dmrestart to the coordinator that it has started: the restart is refused, you are not needed. Others who use it by now keep it.</summary>
/// <remarks>No fields. The answer is the end of the connection; when the coordinator ends, nobody listens at its ports any more by then.</remarks>
public readonly record struct DismissCommand : IMessage<DismissCommand>
{
    public static FrameKind Kind => FrameKind.DismissCommand;

    public void Write(ref MessageWriter writer)
    {
    }

    public static DismissCommand Read(ref MessageReader reader) => default;
}
