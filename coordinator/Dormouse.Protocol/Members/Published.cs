namespace Dormouse.Protocol;

/// <summary>A name with what is known under it, at most 64 KiB.</summary>
/// <remarks>u64 key high, low | u16 length, bytes.</remarks>
public readonly record struct PublishedName(ResourceKey Key, byte[] Value)
{
    public const int LeastBytes = 18;

    public static void WriteAll(ref MessageWriter writer, PublishedName[] names)
    {
        writer.WriteUInt32((uint)names.Length);
        foreach (PublishedName name in names)
        {
            name.Key.Write(ref writer);
            writer.WriteUInt16((ushort)name.Value.Length);
            writer.WriteBytes(name.Value);
        }
    }

    public static PublishedName[] ReadAll(ref MessageReader reader)
    {
        PublishedName[] names = new PublishedName[reader.ReadCount(LeastBytes)];
        for (int i = 0; i < names.Length; i++)
        {
            ResourceKey key = ResourceKey.Read(ref reader);
            names[i] = new(key, reader.ReadBytes(reader.ReadUInt16()).ToArray());
        }

        return names;
    }
}

/// <summary>Member to coordinator, during a restart: this is known to whoever asks for it.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="PublishedName"/>s.</remarks>
public readonly record struct Publish(uint Epoch, PublishedName[] Names) : IMessage<Publish>
{
    public static FrameKind Kind => FrameKind.Publish;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        PublishedName.WriteAll(ref writer, Names);
    }

    public static Publish Read(ref MessageReader reader) => new(reader.ReadUInt32(), PublishedName.ReadAll(ref reader));
}

/// <summary>Coordinator to member: the answer to a <see cref="Lookup"/>, when all that it names is known.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="PublishedName"/>s.</remarks>
public readonly record struct Published(uint Epoch, PublishedName[] Names) : IMessage<Published>
{
    public static FrameKind Kind => FrameKind.Published;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        PublishedName.WriteAll(ref writer, Names);
    }

    public static Published Read(ref MessageReader reader) => new(reader.ReadUInt32(), PublishedName.ReadAll(ref reader));
}
