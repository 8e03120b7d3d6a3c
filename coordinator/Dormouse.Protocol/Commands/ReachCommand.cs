namespace Dormouse.Protocol;

/// <summary>Command to coordinator: be reachable at this address of your host, too: somebody on another host wants to join.</summary>
/// <remarks>str address, numeric. Answer: <see cref="Reached"/> or <see cref="CommandFailed"/>.</remarks>
public readonly record struct ReachCommand(string Address) : IMessage<ReachCommand>
{
    public static FrameKind Kind => FrameKind.ReachCommand;

    public void Write(ref MessageWriter writer) => writer.WriteString(Address);

    public static ReachCommand Read(ref MessageReader reader) => new(reader.ReadString());
}
