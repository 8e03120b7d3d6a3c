using Dormouse.Protocol.Image;

namespace Dormouse.Runtime.Sockets;

/// <summary>Messages for the kernel, being written: netlink(7). Attributes may lie within each other.</summary>
internal sealed class NetlinkMessages
{
    public const int Create = 0x400, Append = 0x800, Dump = 0x300, Acknowledge = 4;
    private const int Request = 1, LengthBytes = 4;
    private const int Nested = 0x8000;
    private readonly List<byte> _bytes = [];
    private int _message = -1;
    private uint _sequence;

    /// <summary>Begins the next message.</summary>
    /// <param name="header">The family's own, after struct nlmsghdr; a multiple of 4 bytes.</param>
    public void Begin(int type, int flags, ReadOnlySpan<byte> header)
    {
        End();
        _message = _bytes.Count;
        AddInt(0);
        AddInt(type | ((Request | flags) << 16));
        AddInt((int)++_sequence);
        AddInt(0);
        AddRange(header);
    }

    public void Add(int attribute, ReadOnlySpan<byte> value)
    {
        AddInt((LengthBytes + value.Length) | (attribute << 16));
        AddRange(value);
        while (_bytes.Count % 4 != 0)
        {
            _bytes.Add(0);
        }
    }

    public void Add(int attribute, string text) => Add(attribute, KernelText.ToBytes(text + "\0"));

    /// <summary>In network order, as nf_tables wants it.</summary>
    public void AddBig(int attribute, uint value)
        => Add(attribute, [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);

    public void AddBig(int attribute, ulong value)
    {
        byte[] bytes = BitConverter.GetBytes(value);
        Array.Reverse(bytes);
        Add(attribute, bytes);
    }

    /// <summary>Begins an attribute of attributes; <see cref="Close"/> takes what this returns.</summary>
    public int Open(int attribute)
    {
        AddInt((attribute | Nested) << 16);
        return _bytes.Count - LengthBytes;
    }

    public void Close(int opened)
    {
        int length = _bytes.Count - opened;
        (_bytes[opened], _bytes[opened + 1]) = ((byte)length, (byte)(length >> 8));
    }

    public byte[] Finish()
    {
        End();
        return _bytes.ToArray();
    }

    private void End()
    {
        if (_message < 0)
        {
            return;
        }

        int length = _bytes.Count - _message;
        for (int i = 0; i < LengthBytes; i++)
        {
            _bytes[_message + i] = (byte)(length >> (8 * i));
        }
    }

    private void AddInt(int value)
    {
        for (int i = 0; i < sizeof(int); i++)
        {
            _bytes.Add((byte)(value >> (8 * i)));
        }
    }

    private void AddRange(ReadOnlySpan<byte> bytes)
    {
        foreach (byte one in bytes)
        {
            _bytes.Add(one);
        }
    }
}
