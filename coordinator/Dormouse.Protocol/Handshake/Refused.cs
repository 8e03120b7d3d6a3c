namespace Dormouse.Protocol;

/// <summary>Coordinator to anybody: you are not let in; the connection ends.</summary>
/// <remarks>str reason, one sentence.</remarks>
public readonly record struct Refused(string Reason) : IMessage<Refused>
{
    public static FrameKind Kind => FrameKind.Refused;

    public void Write(ref MessageWriter writer) => writer.WriteString(Reason);

    public static Refused Read(ref MessageReader reader) => new(reader.ReadString());
}
