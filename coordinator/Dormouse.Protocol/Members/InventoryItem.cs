namespace Dormouse.Protocol;

/// <summary>A 128-bit name of something that several members may hold or talk through. All zero: nothing.</summary>
public readonly record struct ResourceKey(ulong High, ulong Low)
{
    public bool IsNone => (High | Low) == 0;
}

/// <summary>One thing a member holds that others may hold too, or be the other end of.</summary>
/// <param name="Key">What it is.</param>
/// <param name="Peer">What its other end is, or nothing.</param>
/// <param name="Thread">The thread in whose table Local is a descriptor, as kcmp(2) wants it; the coordinator only carries it.</param>
/// <param name="Local">The owner's name for it, such as a descriptor.</param>
/// <param name="Auxiliary">The owner's, carried only.</param>
/// <remarks>u64 key high, low | u64 peer high, low | u32 thread | u32 local | u64 auxiliary; 48 bytes.</remarks>
public readonly record struct InventoryItem(ResourceKey Key, ResourceKey Peer, uint Thread, uint Local, ulong Auxiliary)
{
    public const int Bytes = 48;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt64(Key.High);
        writer.WriteUInt64(Key.Low);
        writer.WriteUInt64(Peer.High);
        writer.WriteUInt64(Peer.Low);
        writer.WriteUInt32(Thread);
        writer.WriteUInt32(Local);
        writer.WriteUInt64(Auxiliary);
    }

    public static InventoryItem Read(ref MessageReader reader) => new(
        new(reader.ReadUInt64(), reader.ReadUInt64()),
        new(reader.ReadUInt64(), reader.ReadUInt64()),
        reader.ReadUInt32(),
        reader.ReadUInt32(),
        reader.ReadUInt64());
}
