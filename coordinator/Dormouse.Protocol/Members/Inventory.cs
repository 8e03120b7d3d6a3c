namespace Dormouse.Protocol;

/// <summary>Member to coordinator: what I hold that others may hold too.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="InventoryItem"/>s. Answer, when all have sent theirs: <see cref="Candidates"/>.</remarks>
public readonly record struct Inventory(uint Epoch, InventoryItem[] Items) : IMessage<Inventory>
{
    public static FrameKind Kind => FrameKind.Inventory;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32((uint)Items.Length);
        foreach (InventoryItem item in Items) item.Write(ref writer);
    }

    public static Inventory Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        InventoryItem[] items = new InventoryItem[reader.ReadCount(InventoryItem.Bytes)];
        for (int i = 0; i < items.Length; i++) items[i] = InventoryItem.Read(ref reader);
        return new(epoch, items);
    }
}
