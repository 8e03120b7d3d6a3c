namespace Dormouse.Protocol;

/// <summary>Coordinator to member: all have done their part of this phase; go on.</summary>
/// <remarks>u32 epoch | u8 phase.</remarks>
public readonly record struct BarrierReleased(uint Epoch, Phase Phase) : IMessage<BarrierReleased>
{
    public static FrameKind Kind => FrameKind.BarrierReleased;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WritePhase(Phase);
    }

    public static BarrierReleased Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadPhase());
}
