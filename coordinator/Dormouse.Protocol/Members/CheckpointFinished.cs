namespace Dormouse.Protocol;

/// <summary>Coordinator to member: the generation is committed.</summary>
/// <param name="Exit">The checkpoint was asked for with kill: the process ends now.</param>
/// <param name="Obsolete">Absolute paths of images beyond the generations to keep: unlink them, then remove their directory when empty;
/// failures do not matter.</param>
/// <remarks>u32 epoch | u8 flags (1 committed, 2 exit) | u16 count, str obsolete.</remarks>
public readonly record struct CheckpointFinished(uint Epoch, bool Committed, bool Exit, string[] Obsolete) : IMessage<CheckpointFinished>
{
    public static FrameKind Kind => FrameKind.CheckpointFinished;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteByte((byte)((Committed ? 1 : 0) | (Exit ? 2 : 0)));
        TextList.Write(ref writer, Obsolete);
    }

    public static CheckpointFinished Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        byte flags = reader.ReadByte();
        return new(epoch, (flags & 1) != 0, (flags & 2) != 0, TextList.Read(ref reader));
    }
}
