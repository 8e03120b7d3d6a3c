namespace Dormouse.Protocol;

/// <summary>Coordinator to command: how things are.</summary>
/// <param name="Generation">The last committed one; 0: none.</param>
/// <param name="CoordinatorPid">As the coordinator sees itself.</param>
/// <param name="WaitingFor">Whom a barrier waits for, by host, PID and program; empty when there is none.</param>
/// <remarks>u64 computation | u32 members | u8 phase | u32 epoch | u32 generation | u32 intervalSeconds | str directory | str hostName |
/// i32 pid | str waitingFor.</remarks>
public readonly record struct StatusReport(
    ulong Computation, uint Members, Phase Phase, uint Epoch, uint Generation, uint IntervalSeconds, string Directory,
    string CoordinatorHost, int CoordinatorPid, string WaitingFor) : IMessage<StatusReport>
{
    public static FrameKind Kind => FrameKind.StatusReport;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt64(Computation);
        writer.WriteUInt32(Members);
        writer.WritePhase(Phase);
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32(Generation);
        writer.WriteUInt32(IntervalSeconds);
        writer.WriteString(Directory);
        writer.WriteString(CoordinatorHost);
        writer.WriteInt32(CoordinatorPid);
        writer.WriteString(WaitingFor);
    }

    public static StatusReport Read(ref MessageReader reader) => new(
        reader.ReadUInt64(),
        reader.ReadUInt32(),
        reader.ReadPhase(),
        reader.ReadUInt32(),
        reader.ReadUInt32(),
        reader.ReadUInt32(),
        reader.ReadString(),
        reader.ReadString(),
        reader.ReadInt32(),
        reader.ReadString());
}
