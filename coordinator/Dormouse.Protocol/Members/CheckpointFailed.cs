namespace Dormouse.Protocol;

/// <summary>Member to coordinator: I cannot be checkpointed. The coordinator sends <see cref="Abort"/> to all.</summary>
/// <remarks>u32 epoch | str reason, one sentence.</remarks>
public readonly record struct CheckpointFailed(uint Epoch, string Reason) : IMessage<CheckpointFailed>
{
    public static FrameKind Kind => FrameKind.CheckpointFailed;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteString(Reason);
    }

    public static CheckpointFailed Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadString());
}
