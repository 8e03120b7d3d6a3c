namespace Dormouse.Protocol;

/// <summary>Coordinator to command: your proof is good, here is mine.</summary>
/// <remarks>32 proof | u64 computation.</remarks>
public readonly record struct CommandWelcome(byte[] Proof, ulong Computation) : IMessage<CommandWelcome>
{
    public static FrameKind Kind => FrameKind.CommandWelcome;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteBytes(Proof);
        writer.WriteUInt64(Computation);
    }

    public static CommandWelcome Read(ref MessageReader reader)
        => new(reader.ReadBytes(TokenProof.ProofBytes).ToArray(), reader.ReadUInt64());
}
