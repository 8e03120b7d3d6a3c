namespace Dormouse.Protocol;

/// <summary>How a member comes to be here.</summary>
[Flags]
public enum MemberFlags : byte
{
    None = 0,

    /// <summary>Woken from an image.</summary>
    Restarted = 1,

    /// <summary>Was a member before its connection, or the coordinator, was lost.</summary>
    Rejoining = 2,
}

/// <summary>Member to coordinator: who I am.</summary>
/// <param name="HostId">Boot id and PID-namespace inode: two members with the same one see the same PIDs.</param>
/// <param name="StartTime">Field 22 of proc_pid_stat(5), clock ticks since boot; with the PID it names one process.</param>
/// <param name="Program">comm of the process.</param>
/// <param name="Computation">This and what follows: meaningful when <paramref name="Flags"/> is not None.</param>
/// <remarks>str hostName | str hostId | i32 pid | i32 ppid | u64 startTime | u32 uid | str program | str exePath | u8 flags |
/// u64 computation | u32 member | u32 generation. Answer: <see cref="Welcome"/> or <see cref="Refused"/>.</remarks>
public readonly record struct MemberHello(
    string HostName, string HostId, int Pid, int ParentPid, ulong StartTime, uint Uid, string Program, string ExecutablePath,
    MemberFlags Flags, ulong Computation, uint Member, uint Generation) : IMessage<MemberHello>
{
    public static FrameKind Kind => FrameKind.MemberHello;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteString(HostName);
        writer.WriteString(HostId);
        writer.WriteInt32(Pid);
        writer.WriteInt32(ParentPid);
        writer.WriteUInt64(StartTime);
        writer.WriteUInt32(Uid);
        writer.WriteString(Program);
        writer.WriteString(ExecutablePath);
        writer.WriteByte((byte)Flags);
        writer.WriteUInt64(Computation);
        writer.WriteUInt32(Member);
        writer.WriteUInt32(Generation);
    }

    public static MemberHello Read(ref MessageReader reader) => new(
        reader.ReadString(),
        reader.ReadString(),
        reader.ReadInt32(),
        reader.ReadInt32(),
        reader.ReadUInt64(),
        reader.ReadUInt32(),
        reader.ReadString(),
        reader.ReadString(),
        (MemberFlags)reader.ReadByte(),
        reader.ReadUInt64(),
        reader.ReadUInt32(),
        reader.ReadUInt32());
}
