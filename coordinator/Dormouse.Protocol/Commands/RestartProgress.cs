namespace Dormouse.Protocol;

/// <summary>Coordinator to dmrestart: a phase begins.</summary>
/// <remarks>u8 phase | u32 joined.</remarks>
public readonly record struct RestartProgress(Phase Phase, uint Joined) : IMessage<RestartProgress>
{
    public static FrameKind Kind => FrameKind.RestartProgress;

    public void Write(ref MessageWriter writer)
    {
        writer.WritePhase(Phase);
        writer.WriteUInt32(Joined);
    }

    public static RestartProgress Read(ref MessageReader reader) => new(reader.ReadPhase(), reader.ReadUInt32());
}
