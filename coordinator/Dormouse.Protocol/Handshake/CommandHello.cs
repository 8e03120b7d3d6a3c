namespace Dormouse.Protocol;

/// <summary>Command to coordinator: who I am. A command started by a member is its child, but no part of the computation.</summary>
/// <remarks>str hostId (as in <see cref="MemberHello"/>) | i32 pid. No answer.</remarks>
public readonly record struct CommandHello(string HostId, int Pid) : IMessage<CommandHello>
{
    public static FrameKind Kind => FrameKind.CommandHello;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteString(HostId);
        writer.WriteInt32(Pid);
    }

    public static CommandHello Read(ref MessageReader reader) => new(reader.ReadString(), reader.ReadInt32());
}
