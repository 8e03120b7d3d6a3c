namespace Dormouse.Protocol;

/// <summary>Member to coordinator: I have done my part of this phase.</summary>
/// <remarks>u32 epoch | u8 phase. Answer, when all have: <see cref="BarrierReleased"/>.</remarks>
public readonly record struct BarrierReached(uint Epoch, Phase Phase) : IMessage<BarrierReached>
{
    public static FrameKind Kind => FrameKind.BarrierReached;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WritePhase(Phase);
    }

    public static BarrierReached Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadPhase());
}
