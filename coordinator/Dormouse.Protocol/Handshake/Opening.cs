namespace Dormouse.Protocol;

/// <summary>The magic and version that start both hellos.</summary>
internal static class Opening
{
    public static void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(ProtocolVersion.Magic);
        writer.WriteUInt16(ProtocolVersion.Current);
    }

    public static void Read(ref MessageReader reader)
    {
        if (reader.ReadUInt32() != ProtocolVersion.Magic) throw new ProtocolException("The peer does not speak Dormouse's protocol.");
        if (reader.ReadUInt16() != ProtocolVersion.Current)
            throw new ProtocolException("The peer is another version of Dormouse. Use the same version everywhere.");
    }
}
