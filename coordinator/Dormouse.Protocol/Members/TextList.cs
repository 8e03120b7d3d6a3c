namespace Dormouse.Protocol;

/// <summary>u16 count, strs.</summary>
internal static class TextList
{
    public static void Write(ref MessageWriter writer, string[] texts)
    {
        writer.WriteUInt16(checked((ushort)texts.Length));
        foreach (string text in texts) writer.WriteString(text);
    }

    public static string[] Read(ref MessageReader reader)
    {
        ushort count = reader.ReadUInt16();
        if (count > reader.Remaining / 2) throw new ProtocolException("A message is shorter than its fields.");
        string[] texts = new string[count];
        for (int i = 0; i < texts.Length; i++) texts[i] = reader.ReadString();
        return texts;
    }
}
