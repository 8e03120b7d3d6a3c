namespace Dormouse.Protocol;

/// <summary>Coordinator to command: one member.</summary>
/// <param name="HostPid">As the coordinator's host counts, outside of a pod; 0: not known.</param>
/// <remarks>u32 member | str hostName | i32 pid | i32 hostPid | i32 ppid | u64 startTime | u32 uid | str program | str exePath.</remarks>
public readonly record struct MemberReport(
    uint Member, string HostName, int Pid, int HostPid, int ParentPid, ulong StartTime, uint Uid, string Program, string ExecutablePath)
    : IMessage<MemberReport>
{
    public static FrameKind Kind => FrameKind.MemberReport;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Member);
        writer.WriteString(HostName);
        writer.WriteInt32(Pid);
        writer.WriteInt32(HostPid);
        writer.WriteInt32(ParentPid);
        writer.WriteUInt64(StartTime);
        writer.WriteUInt32(Uid);
        writer.WriteString(Program);
        writer.WriteString(ExecutablePath);
    }

    public static MemberReport Read(ref MessageReader reader) => new(
        reader.ReadUInt32(),
        reader.ReadString(),
        reader.ReadInt32(),
        reader.ReadInt32(),
        reader.ReadInt32(),
        reader.ReadUInt64(),
        reader.ReadUInt32(),
        reader.ReadString(),
        reader.ReadString());
}
