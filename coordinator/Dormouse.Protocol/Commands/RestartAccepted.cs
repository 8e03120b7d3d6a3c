namespace Dormouse.Protocol;

/// <summary>Coordinator to dmrestart: start the processes.</summary>
/// <remarks>u32 epoch.</remarks>
public readonly record struct RestartAccepted(uint Epoch) : IMessage<RestartAccepted>
{
    public static FrameKind Kind => FrameKind.RestartAccepted;

    public void Write(ref MessageWriter writer) => writer.WriteUInt32(Epoch);

    public static RestartAccepted Read(ref MessageReader reader) => new(reader.ReadUInt32());
}
