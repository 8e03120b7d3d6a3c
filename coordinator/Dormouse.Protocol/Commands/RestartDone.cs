namespace Dormouse.Protocol;

/// <summary>Coordinator to dmrestart: all processes run.</summary>
/// <remarks>u32 members.</remarks>
public readonly record struct RestartDone(uint Members) : IMessage<RestartDone>
{
    public static FrameKind Kind => FrameKind.RestartDone;

    public void Write(ref MessageWriter writer) => writer.WriteUInt32(Members);

    public static RestartDone Read(ref MessageReader reader) => new(reader.ReadUInt32());
}
