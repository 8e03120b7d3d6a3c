namespace Dormouse.Protocol;

/// <summary>Coordinator to command: it listens there.</summary>
/// <remarks>str endpoint, "address:port".</remarks>
public readonly record struct Reached(string Endpoint) : IMessage<Reached>
{
    public static FrameKind Kind => FrameKind.Reached;

    public void Write(ref MessageWriter writer) => writer.WriteString(Endpoint);

    public static Reached Read(ref MessageReader reader) => new(reader.ReadString());
}
