namespace Dormouse.Protocol;

/// <summary>Another member's item, and who that is.</summary>
/// <remarks>u32 member | i32 pid | <see cref="InventoryItem"/>; 56 bytes.</remarks>
public readonly record struct Candidate(uint Member, int Pid, InventoryItem Item)
{
    public const int Bytes = 8 + InventoryItem.Bytes;
}

/// <summary>Coordinator to member: every other member's item whose key or peer is the key or peer of one of yours.</summary>
/// <param name="ImageCount">Members in this checkpoint, so images in the generation.</param>
/// <remarks>u32 epoch | u32 imageCount | u32 count, <see cref="Candidate"/>s, ascending by member.</remarks>
public readonly record struct Candidates(uint Epoch, uint ImageCount, Candidate[] Items) : IMessage<Candidates>
{
    public static FrameKind Kind => FrameKind.Candidates;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32(ImageCount);
        writer.WriteUInt32((uint)Items.Length);
        foreach (Candidate candidate in Items)
        {
            writer.WriteUInt32(candidate.Member);
            writer.WriteInt32(candidate.Pid);
            candidate.Item.Write(ref writer);
        }
    }

    public static Candidates Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        uint imageCount = reader.ReadUInt32();
        Candidate[] items = new Candidate[reader.ReadCount(Candidate.Bytes)];
        for (int i = 0; i < items.Length; i++) items[i] = new(reader.ReadUInt32(), reader.ReadInt32(), InventoryItem.Read(ref reader));
        return new(epoch, imageCount, items);
    }
}
