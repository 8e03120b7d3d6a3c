namespace Dormouse.Protocol;

/// <summary>Member to coordinator, during a restart: every member is to know this before the next barrier is released.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="PublishedName"/>s. What several members say under one name is told once.</remarks>
public readonly record struct Announce(uint Epoch, PublishedName[] Names) : IMessage<Announce>
{
    public static FrameKind Kind => FrameKind.Announce;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        PublishedName.WriteAll(ref writer, Names);
    }

    public static Announce Read(ref MessageReader reader) => new(reader.ReadUInt32(), PublishedName.ReadAll(ref reader));
}

/// <summary>Coordinator to all members, before it releases a barrier: what was announced since the one before.</summary>
/// <remarks>u32 epoch | u32 count, <see cref="PublishedName"/>s.</remarks>
public readonly record struct Announced(uint Epoch, PublishedName[] Names) : IMessage<Announced>
{
    public static FrameKind Kind => FrameKind.Announced;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        PublishedName.WriteAll(ref writer, Names);
    }

    public static Announced Read(ref MessageReader reader) => new(reader.ReadUInt32(), PublishedName.ReadAll(ref reader));
}
