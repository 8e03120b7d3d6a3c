namespace Dormouse.Protocol;

/// <summary>A 128-bit name of something that several members may hold or talk through. All zero: nothing.</summary>
public readonly record struct ResourceKey(ulong High, ulong Low)
{
    public bool IsNone => (High | Low) == 0;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt64(High);
        writer.WriteUInt64(Low);
    }

    public static ResourceKey Read(ref MessageReader reader) => new(reader.ReadUInt64(), reader.ReadUInt64());
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
        Key.Write(ref writer);
        Peer.Write(ref writer);
        writer.WriteUInt32(Thread);
        writer.WriteUInt32(Local);
        writer.WriteUInt64(Auxiliary);
    }

    public static InventoryItem Read(ref MessageReader reader) => new(
        ResourceKey.Read(ref reader),
        ResourceKey.Read(ref reader),
        reader.ReadUInt32(),
        reader.ReadUInt32(),
        reader.ReadUInt64());
}
