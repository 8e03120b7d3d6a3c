namespace Dormouse.Protocol;

/// <summary>Coordinator to command: the checkpoint is committed.</summary>
/// <param name="StandstillMicroseconds">The longest of any member.</param>
/// <param name="DurationMicroseconds">From the request to the commit.</param>
/// <remarks>u32 generation | u32 images | str directory | u64 standstill | u64 duration.</remarks>
public readonly record struct CheckpointReport(
    uint Generation, uint Images, string Directory, ulong StandstillMicroseconds, ulong DurationMicroseconds) : IMessage<CheckpointReport>
{
    public static FrameKind Kind => FrameKind.CheckpointReport;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Generation);
        writer.WriteUInt32(Images);
        writer.WriteString(Directory);
        writer.WriteUInt64(StandstillMicroseconds);
        writer.WriteUInt64(DurationMicroseconds);
    }

    public static CheckpointReport Read(ref MessageReader reader)
        => new(reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadString(), reader.ReadUInt64(), reader.ReadUInt64());
}
