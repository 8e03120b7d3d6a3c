namespace Dormouse.Runtime.Sockets;

/// <summary>Attributes of an answer of the kernel, one after the other: u16 length, u16 type, value, aligned to 4; netlink(7).</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private const int HeaderBytes = 4, TypeBits = 0x3FFF; // above: nested, network order
    private ReadOnlySpan<byte> _rest = bytes;

    public int Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The value of the first of this type; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> bytes, int type)
    {
        var attributes = new NetlinkAttributes(bytes);
        while (attributes.Next())
        {
            if (attributes.Type == type)
            {
                return attributes.Value;
            }
        }

        return [];
    }

    /// <summary>Goes to the next one, at first to the first; false when there is none.</summary>
    public bool Next()
    {
        int length = _rest.Length < HeaderBytes ? 0 : BitConverter.ToUInt16(_rest);
        if (length < HeaderBytes || length > _rest.Length)
        {
            return false;
        }

        Type = BitConverter.ToUInt16(_rest[2..]) & TypeBits;
        Value = _rest[HeaderBytes..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
