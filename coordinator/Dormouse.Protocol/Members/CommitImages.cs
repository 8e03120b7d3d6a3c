namespace Dormouse.Protocol;

/// <summary>One rename of a commit; parent directories of <paramref name="To"/> are made when missing.</summary>
/// <param name="Optional">It moves an older image out of the way: skip it when <paramref name="From"/> does not exist (moved already, or taken
/// away by somebody) and never replace an existing <paramref name="To"/> (RENAME_NOREPLACE of renameat2(2), EEXIST is fine). Not optional:
/// <paramref name="To"/> is replaced.</param>
/// <remarks>u8 optional | str from | str to; absolute paths.</remarks>
public readonly record struct ImageRename(string From, string To, bool Optional);

/// <summary>Coordinator to member: rename these in this order, then sync the directories.</summary>
/// <remarks>u32 epoch | u16 count, <see cref="ImageRename"/>s. Answer: <see cref="CommitDone"/>.</remarks>
public readonly record struct CommitImages(uint Epoch, ImageRename[] Renames) : IMessage<CommitImages>
{
    public static FrameKind Kind => FrameKind.CommitImages;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt16(checked((ushort)Renames.Length));
        foreach (ImageRename rename in Renames)
        {
            writer.WriteBoolean(rename.Optional);
            writer.WriteString(rename.From);
            writer.WriteString(rename.To);
        }
    }

    public static CommitImages Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        ushort count = reader.ReadUInt16();
        if (count > reader.Remaining / 5) throw new ProtocolException("A message is shorter than its fields.");
        ImageRename[] renames = new ImageRename[count];
        for (int i = 0; i < renames.Length; i++)
        {
            bool optional = reader.ReadBoolean();
            renames[i] = new(reader.ReadString(), reader.ReadString(), optional);
        }

        return new(epoch, renames);
    }
}
