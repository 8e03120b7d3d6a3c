namespace Dormouse.Protocol;

/// <summary>Coordinator to command: one image of the checkpoint just committed.</summary>
/// <param name="Path">Absolute, on the member's host.</param>
/// <param name="StandstillMicroseconds">How long this process stood still.</param>
/// <param name="Losses">What of this process will not survive a restart, a sentence each.</param>
/// <remarks>u32 member | str hostName | i32 pid | str program | str path | u64 imageBytes | u64 memoryBytes | u64 standstill |
/// u16 count, str losses.</remarks>
public readonly record struct ImageReport(
    uint Member, string HostName, int Pid, string Program, string Path, ulong ImageBytes, ulong MemoryBytes,
    ulong StandstillMicroseconds, string[] Losses) : IMessage<ImageReport>
{
    public static FrameKind Kind => FrameKind.ImageReport;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Member);
        writer.WriteString(HostName);
        writer.WriteInt32(Pid);
        writer.WriteString(Program);
        writer.WriteString(Path);
        writer.WriteUInt64(ImageBytes);
        writer.WriteUInt64(MemoryBytes);
        writer.WriteUInt64(StandstillMicroseconds);
        TextList.Write(ref writer, Losses);
    }

    public static ImageReport Read(ref MessageReader reader) => new(
        reader.ReadUInt32(),
        reader.ReadString(),
        reader.ReadInt32(),
        reader.ReadString(),
        reader.ReadString(),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        TextList.Read(ref reader));
}
