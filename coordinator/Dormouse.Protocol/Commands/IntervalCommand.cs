namespace Dormouse.Protocol;

/// <summary>Command to coordinator: make a checkpoint every so many seconds from now on; 0: no more.</summary>
/// <remarks>u32 seconds. Answer: <see cref="CommandDone"/>.</remarks>
public readonly record struct IntervalCommand(uint Seconds) : IMessage<IntervalCommand>
{
    public static FrameKind Kind => FrameKind.IntervalCommand;

    public void Write(ref MessageWriter writer) => writer.WriteUInt32(Seconds);

    public static IntervalCommand Read(ref MessageReader reader) => new(reader.ReadUInt32());
}
