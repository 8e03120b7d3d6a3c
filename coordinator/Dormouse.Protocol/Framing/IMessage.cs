namespace Dormouse.Protocol;

/// <summary>A message: what it is called on the wire, and how it is written and read. Read mirrors Write, line by line.</summary>
public interface IMessage<TSelf>
    where TSelf : struct, IMessage<TSelf>
{
    static abstract FrameKind Kind { get; }

    void Write(ref MessageWriter writer);

    /// <exception cref="ProtocolException">The payload is too short, or a field has an impossible value.</exception>
    static abstract TSelf Read(ref MessageReader reader);
}
