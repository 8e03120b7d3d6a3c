namespace Dormouse.Protocol;

/// <summary>Coordinator to member: these children of yours have not joined. Look again in a few milliseconds, then send <see cref="Suspended"/> again.</summary>
/// <remarks>u32 epoch | u32 count, i32 pids.</remarks>
public readonly record struct ChildrenUnknown(uint Epoch, int[] Children) : IMessage<ChildrenUnknown>
{
    public static FrameKind Kind => FrameKind.ChildrenUnknown;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        PidList.Write(ref writer, Children);
    }

    public static ChildrenUnknown Read(ref MessageReader reader) => new(reader.ReadUInt32(), PidList.Read(ref reader));
}
