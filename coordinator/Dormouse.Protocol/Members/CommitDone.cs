namespace Dormouse.Protocol;

/// <summary>Member to coordinator: the renames are done and synced.</summary>
/// <remarks>u32 epoch. Answer, when all have: <see cref="CheckpointFinished"/>.</remarks>
public readonly record struct CommitDone(uint Epoch) : IMessage<CommitDone>
{
    public static FrameKind Kind => FrameKind.CommitDone;

    public void Write(ref MessageWriter writer) => writer.WriteUInt32(Epoch);

    public static CommitDone Read(ref MessageReader reader) => new(reader.ReadUInt32());
}
