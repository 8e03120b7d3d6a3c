namespace Dormouse.Protocol;

/// <summary>Member to coordinator: my image is written and synced, under its temporary name; the process runs again already.</summary>
/// <param name="TemporaryPath">Absolute.</param>
/// <param name="FinalName">File name only; it goes into the directory of <paramref name="TemporaryPath"/>.</param>
/// <param name="MemoryBytes">Memory that the image holds, before compression.</param>
/// <param name="StandstillMicroseconds">From the first thread stopped to the last one running again.</param>
/// <param name="Losses">One sentence for each thing of this process that will not survive a restart.</param>
/// <remarks>u32 epoch | str temporaryPath | str finalName | u64 imageBytes | u64 memoryBytes | u64 standstill | u16 count, str losses.
/// Answer, when all have sent theirs: <see cref="CommitImages"/>.</remarks>
public readonly record struct ImageWritten(
    uint Epoch, string TemporaryPath, string FinalName, ulong ImageBytes, ulong MemoryBytes, ulong StandstillMicroseconds,
    string[] Losses) : IMessage<ImageWritten>
{
    public static FrameKind Kind => FrameKind.ImageWritten;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteString(TemporaryPath);
        writer.WriteString(FinalName);
        writer.WriteUInt64(ImageBytes);
        writer.WriteUInt64(MemoryBytes);
        writer.WriteUInt64(StandstillMicroseconds);
        TextList.Write(ref writer, Losses);
    }

    public static ImageWritten Read(ref MessageReader reader) => new(
        reader.ReadUInt32(),
        reader.ReadString(),
        reader.ReadString(),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        reader.ReadUInt64(),
        TextList.Read(ref reader));
}
