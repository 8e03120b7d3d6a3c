namespace Dormouse.Protocol;

/// <summary>Member to coordinator, during a restart: tell me what others have published, or will, under these names.</summary>
/// <param name="OneByOne">Not all at once, when all are known, but each as soon as it is; perhaps never.</param>
/// <remarks>u32 epoch | u8 one by one | u32 count, u64 key high, low. Answer: <see cref="Published"/>.</remarks>
public readonly record struct Lookup(uint Epoch, ResourceKey[] Keys, bool OneByOne = false) : IMessage<Lookup>
{
    public static FrameKind Kind => FrameKind.Lookup;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteBoolean(OneByOne);
        writer.WriteUInt32((uint)Keys.Length);
        foreach (ResourceKey key in Keys) key.Write(ref writer);
    }

    public static Lookup Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        bool oneByOne = reader.ReadBoolean();
        ResourceKey[] keys = new ResourceKey[reader.ReadCount(16)];
        for (int i = 0; i < keys.Length; i++) keys[i] = ResourceKey.Read(ref reader);
        return new(epoch, keys, oneByOne);
    }
}
