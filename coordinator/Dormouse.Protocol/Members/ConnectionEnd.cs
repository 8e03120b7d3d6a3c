namespace Dormouse.Protocol;

/// <summary>One end of a connection through the network, which may go through address translation (NAT).</summary>
/// <param name="Item">Its place in the list of items.</param>
/// <param name="Cookie">Tells it from all other sockets of its host, whoever holds it: SO_COOKIE, socket(7).</param>
/// <remarks>u32 item | u64 cookie; 12 bytes.</remarks>
public readonly record struct ConnectionEnd(uint Item, ulong Cookie)
{
    public const int Bytes = 12;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Item);
        writer.WriteUInt64(Cookie);
    }

    public static ConnectionEnd Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadUInt64());
}
