namespace Dormouse.Protocol;

/// <summary>Restarted member to coordinator: I cannot go on. dmrestart is told, and all members get <see cref="Abort"/>.</summary>
/// <remarks>str reason, one sentence.</remarks>
public readonly record struct RestartFailed(string Reason) : IMessage<RestartFailed>
{
    public static FrameKind Kind => FrameKind.RestartFailed;

    public void Write(ref MessageWriter writer) => writer.WriteString(Reason);

    public static RestartFailed Read(ref MessageReader reader) => new(reader.ReadString());
}
