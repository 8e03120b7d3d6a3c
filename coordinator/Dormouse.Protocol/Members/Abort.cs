namespace Dormouse.Protocol;

/// <summary>Coordinator to member: this checkpoint (or restart) has failed. Unlink the temporary image and let the threads run;
/// in a restart, exit.</summary>
/// <remarks>u32 epoch | str reason.</remarks>
public readonly record struct Abort(uint Epoch, string Reason) : IMessage<Abort>
{
    public static FrameKind Kind => FrameKind.Abort;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteString(Reason);
    }

    public static Abort Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadString());
}
