namespace Dormouse.Protocol;

/// <summary>First message of every connection, from the coordinator.</summary>
/// <remarks>u32 magic | u16 version | 16 nonce. Answer: <see cref="ClientHello"/>.</remarks>
public readonly record struct ServerHello(byte[] Nonce) : IMessage<ServerHello>
{
    public static FrameKind Kind => FrameKind.ServerHello;

    public void Write(ref MessageWriter writer)
    {
        Opening.Write(ref writer);
        writer.WriteBytes(Nonce);
    }

    public static ServerHello Read(ref MessageReader reader)
    {
        Opening.Read(ref reader);
        return new(reader.ReadBytes(TokenProof.NonceBytes).ToArray());
    }
}
