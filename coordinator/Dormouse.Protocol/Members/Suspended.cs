namespace Dormouse.Protocol;

/// <summary>Member to coordinator: all my threads are stopped.</summary>
/// <param name="Children">PIDs of direct children that are alive (zombies are not), so that nobody is left out.</param>
/// <remarks>u32 epoch | u32 threads | u32 count, i32 pids.
/// Answer, when all have sent this: <see cref="BarrierReleased"/> of Suspend, or <see cref="ChildrenUnknown"/>.</remarks>
public readonly record struct Suspended(uint Epoch, uint Threads, int[] Children) : IMessage<Suspended>
{
    public static FrameKind Kind => FrameKind.Suspended;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32(Threads);
        PidList.Write(ref writer, Children);
    }

    public static Suspended Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadUInt32(), PidList.Read(ref reader));
}
