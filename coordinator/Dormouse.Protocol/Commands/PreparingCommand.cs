namespace Dormouse.Protocol;

/// <summary>dmrestart to the coordinator that it has started: should I be gone before the restart begins, you are not needed.</summary>
/// <remarks>No fields, no answer.</remarks>
public readonly record struct PreparingCommand : IMessage<PreparingCommand>
{
    public static FrameKind Kind => FrameKind.PreparingCommand;

    public void Write(ref MessageWriter writer)
    {
    }

    public static PreparingCommand Read(ref MessageReader reader) => default;
}
