namespace Dormouse.Protocol;

/// <summary>Member to coordinator: I cannot be checkpointed. The coordinator sends <see cref="Abort"/> to all.</summary>
/// <param name="Epoch">Of the checkpoint.</param>
/// <param name="Reason">One sentence.</param>
/// <param name="IsPassing">It will work when the programs have run on for some milliseconds.</param>
/// <remarks>u32 epoch | str reason | u8 passing.</remarks>
public readonly record struct CheckpointFailed(uint Epoch, string Reason, bool IsPassing = false) : IMessage<CheckpointFailed>
{
    public static FrameKind Kind => FrameKind.CheckpointFailed;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteString(Reason);
        writer.WriteByte(IsPassing ? (byte)1 : (byte)0);
    }

    public static CheckpointFailed Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadString(), reader.ReadByte() != 0);
}
