namespace Dormouse.Protocol;

/// <summary>What the kernel knows of one end of a connection.</summary>
[Flags]
public enum EndFlags : byte
{
    None = 0,

    /// <summary>It has called connect(2).</summary>
    Connected = 1,

    /// <summary>It was accepted.</summary>
    Accepted = 2,

    HasSentEnd = 4,

    IsSentEndAcknowledged = 8,

    HasReceivedEnd = 16,
}

/// <summary>The counters of one end; those of its other end mirror them.</summary>
/// <param name="Sent">Bytes that the program has written, modulo 2^32.</param>
/// <param name="Outstanding">Those of them that the other end's kernel has not acknowledged.</param>
/// <param name="Received">Bytes that have come, modulo 2^32.</param>
/// <param name="Segments">Packets that have come, of whatever kind.</param>
/// <param name="Local">Stands for its own address and port.</param>
/// <param name="Peer">Stands for the address and port that it sees of the other end.</param>
/// <remarks>u64 cookie | u32 sent, outstanding, received, segments | u8 flags | u64 local, peer; 41 bytes.</remarks>
public readonly record struct EndReport(
    ulong Cookie, uint Sent, uint Outstanding, uint Received, uint Segments, EndFlags Flags, ulong Local, ulong Peer)
{
    public const int Bytes = 41;

    public bool Has(EndFlags flag) => (Flags & flag) != 0;
}

/// <summary>Member to coordinator: the answer to <see cref="ProbeEnds"/>.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="EndReport"/>s.</remarks>
public readonly record struct EndReports(uint Epoch, EndReport[] Ends) : IMessage<EndReports>
{
    public static FrameKind Kind => FrameKind.EndReports;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32((uint)Ends.Length);
        foreach (EndReport end in Ends)
        {
            writer.WriteUInt64(end.Cookie);
            writer.WriteUInt32(end.Sent);
            writer.WriteUInt32(end.Outstanding);
            writer.WriteUInt32(end.Received);
            writer.WriteUInt32(end.Segments);
            writer.WriteByte((byte)end.Flags);
            writer.WriteUInt64(end.Local);
            writer.WriteUInt64(end.Peer);
        }
    }

    public static EndReports Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        EndReport[] ends = new EndReport[reader.ReadCount(EndReport.Bytes)];
        for (int i = 0; i < ends.Length; i++)
        {
            ends[i] = new(
                reader.ReadUInt64(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(),
                (EndFlags)reader.ReadByte(), reader.ReadUInt64(), reader.ReadUInt64());
        }

        return new(epoch, ends);
    }
}
