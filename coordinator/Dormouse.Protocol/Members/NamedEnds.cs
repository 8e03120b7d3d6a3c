namespace Dormouse.Protocol;

/// <summary>The names of one end and of its other end, in place of those that were made of its addresses.</summary>
/// <param name="Peer">Nothing: no member holds the other end.</param>
/// <param name="Listens">At a restart the other end is to connect to this one, not the other way round.</param>
/// <remarks>u64 cookie | u64 key high, low | u64 peer high, low | u8 listens; 41 bytes.</remarks>
public readonly record struct NamedEnd(ulong Cookie, ResourceKey Key, ResourceKey Peer, bool Listens)
{
    public const int Bytes = 41;
}

/// <summary>Coordinator to member, before the candidates: these are not known by their addresses, which are translated on the way.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="NamedEnd"/>s.</remarks>
public readonly record struct NamedEnds(uint Epoch, NamedEnd[] Ends) : IMessage<NamedEnds>
{
    public static FrameKind Kind => FrameKind.NamedEnds;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32((uint)Ends.Length);
        foreach (NamedEnd end in Ends)
        {
            writer.WriteUInt64(end.Cookie);
            end.Key.Write(ref writer);
            end.Peer.Write(ref writer);
            writer.WriteBoolean(end.Listens);
        }
    }

    public static NamedEnds Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        NamedEnd[] ends = new NamedEnd[reader.ReadCount(NamedEnd.Bytes)];
        for (int i = 0; i < ends.Length; i++)
        {
            ends[i] = new(reader.ReadUInt64(), ResourceKey.Read(ref reader), ResourceKey.Read(ref reader), reader.ReadBoolean());
        }

        return new(epoch, ends);
    }
}
