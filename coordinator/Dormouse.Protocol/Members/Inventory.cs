namespace Dormouse.Protocol;

/// <summary>Member to coordinator: what I hold that others may hold too.</summary>
/// <param name="Ends">Those of the items that are ends of connections through the network.</param>
/// <remarks>u32 epoch | u32 count, <see cref="InventoryItem"/>s | u32 count, <see cref="ConnectionEnd"/>s.
/// Answer, when all have sent theirs: <see cref="Candidates"/>; before that perhaps <see cref="ProbeEnds"/> and <see cref="NamedEnds"/>.</remarks>
public readonly record struct Inventory(uint Epoch, InventoryItem[] Items, ConnectionEnd[] Ends) : IMessage<Inventory>
{
    public static FrameKind Kind => FrameKind.Inventory;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32((uint)Items.Length);
        foreach (InventoryItem item in Items) item.Write(ref writer);
        writer.WriteUInt32((uint)Ends.Length);
        foreach (ConnectionEnd end in Ends) end.Write(ref writer);
    }

    public static Inventory Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        InventoryItem[] items = new InventoryItem[reader.ReadCount(InventoryItem.Bytes)];
        for (int i = 0; i < items.Length; i++) items[i] = InventoryItem.Read(ref reader);
        ConnectionEnd[] ends = new ConnectionEnd[reader.ReadCount(ConnectionEnd.Bytes)];
        for (int i = 0; i < ends.Length; i++)
        {
            ends[i] = ConnectionEnd.Read(ref reader);
            if (ends[i].Item >= items.Length) throw new ProtocolException("A connection is not among the items of its inventory.");
        }

        return new(epoch, items, ends);
    }
}
