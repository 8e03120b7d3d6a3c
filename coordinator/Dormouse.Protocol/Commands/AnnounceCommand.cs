namespace Dormouse.Protocol;

/// <summary>
/// dmlaunch to coordinator: this process becomes the program now, by exec, and will be a member a moment later. A checkpoint that is
/// asked for meanwhile waits for it.
/// </summary>
/// <param name="HostId">This and what follows: as in <see cref="MemberHello"/>.</param>
/// <remarks>str hostName | str hostId | i32 pid | u64 startTime | str program. Answer: <see cref="CommandDone"/>.</remarks>
public readonly record struct AnnounceCommand(string HostName, string HostId, int Pid, ulong StartTime, string Program) : IMessage<AnnounceCommand>
{
    public static FrameKind Kind => FrameKind.AnnounceCommand;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteString(HostName);
        writer.WriteString(HostId);
        writer.WriteInt32(Pid);
        writer.WriteUInt64(StartTime);
        writer.WriteString(Program);
    }

    public static AnnounceCommand Read(ref MessageReader reader)
        => new(reader.ReadString(), reader.ReadString(), reader.ReadInt32(), reader.ReadUInt64(), reader.ReadString());
}
