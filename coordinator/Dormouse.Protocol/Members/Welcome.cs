namespace Dormouse.Protocol;

/// <summary>Coordinator to member: you are in. Late when a checkpoint is past its suspend phase: wait for it.</summary>
/// <param name="Proof">The coordinator's, see <see cref="TokenProof.Server"/>.</param>
/// <param name="Epoch">Number of the checkpoint or restart under way, or of the last one.</param>
/// <remarks>32 proof | u32 member | u64 computation | u32 epoch.</remarks>
public readonly record struct Welcome(byte[] Proof, uint Member, ulong Computation, uint Epoch) : IMessage<Welcome>
{
    public static FrameKind Kind => FrameKind.Welcome;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteBytes(Proof);
        writer.WriteUInt32(Member);
        writer.WriteUInt64(Computation);
        writer.WriteUInt32(Epoch);
    }

    public static Welcome Read(ref MessageReader reader) => new(
        reader.ReadBytes(TokenProof.ProofBytes).ToArray(),
        reader.ReadUInt32(),
        reader.ReadUInt64(),
        reader.ReadUInt32());
}
