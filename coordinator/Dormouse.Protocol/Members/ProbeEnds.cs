namespace Dormouse.Protocol;

/// <summary>What a member is to do with ends of connections whose other end is not known.</summary>
public enum ProbeStep : byte
{
    /// <summary>Only report.</summary>
    Look = 0,

    /// <summary>Make room for so many bytes more, and let the kernel send nothing by itself; until the candidates are known.</summary>
    Prepare = 1,

    /// <summary>Wait until those with a value other than 0 could send a probe at once, a second at most.</summary>
    Await = 2,

    /// <summary>Let the kernel send a keepalive probe, and wait for the answer.</summary>
    Probe = 3,
}

/// <summary>One end, and a number whose meaning the step tells.</summary>
/// <remarks>u64 cookie | u32 value; 12 bytes.</remarks>
public readonly record struct EndOrder(ulong Cookie, uint Value)
{
    public const int Bytes = 12;
}

/// <summary>Coordinator to member, before the candidates: find out which ends belong together (docs/decisions/0024).</summary>
/// <remarks>u32 epoch | u8 step | u32 count, <see cref="EndOrder"/>s. Answer: <see cref="EndReports"/> of all of them.</remarks>
public readonly record struct ProbeEnds(uint Epoch, ProbeStep Step, EndOrder[] Ends) : IMessage<ProbeEnds>
{
    public static FrameKind Kind => FrameKind.ProbeEnds;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteByte((byte)Step);
        writer.WriteUInt32((uint)Ends.Length);
        foreach (EndOrder end in Ends)
        {
            writer.WriteUInt64(end.Cookie);
            writer.WriteUInt32(end.Value);
        }
    }

    public static ProbeEnds Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        byte step = reader.ReadByte();
        if (step > (byte)ProbeStep.Probe) throw new ProtocolException("A message names a step that does not exist.");
        EndOrder[] ends = new EndOrder[reader.ReadCount(EndOrder.Bytes)];
        for (int i = 0; i < ends.Length; i++) ends[i] = new(reader.ReadUInt64(), reader.ReadUInt32());
        return new(epoch, (ProbeStep)step, ends);
    }
}
