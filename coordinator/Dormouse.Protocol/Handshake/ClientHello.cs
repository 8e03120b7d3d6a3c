namespace Dormouse.Protocol;

/// <summary>The client's answer to <see cref="ServerHello"/>; what follows may be in the same write.</summary>
/// <remarks>u32 magic | u16 version | u8 role | 16 nonce | 32 proof. Answer: <see cref="CommandWelcome"/>, or after
/// <see cref="MemberHello"/> <see cref="Welcome"/>; or <see cref="Refused"/>.</remarks>
public readonly record struct ClientHello(Role Role, byte[] Nonce, byte[] Proof) : IMessage<ClientHello>
{
    public static FrameKind Kind => FrameKind.ClientHello;

    public void Write(ref MessageWriter writer)
    {
        Opening.Write(ref writer);
        writer.WriteByte((byte)Role);
        writer.WriteBytes(Nonce);
        writer.WriteBytes(Proof);
    }

    public static ClientHello Read(ref MessageReader reader)
    {
        Opening.Read(ref reader);
        byte role = reader.ReadByte();
        if (role is not ((byte)Role.Member or (byte)Role.Command)) throw new ProtocolException("The peer has an unknown role.");
        return new((Role)role, reader.ReadBytes(TokenProof.NonceBytes).ToArray(), reader.ReadBytes(TokenProof.ProofBytes).ToArray());
    }
}
