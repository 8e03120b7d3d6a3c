namespace Dormouse.Protocol;

/// <summary>Coordinator to member: the descriptor is in your socket, or I cannot do that, either.</summary>
/// <remarks>u32 epoch | u8 isThere.</remarks>
public readonly record struct ImageFileSent(uint Epoch, bool IsThere) : IMessage<ImageFileSent>
{
    public static FrameKind Kind => FrameKind.ImageFileSent;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteBoolean(IsThere);
    }

    public static ImageFileSent Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadBoolean());
}
