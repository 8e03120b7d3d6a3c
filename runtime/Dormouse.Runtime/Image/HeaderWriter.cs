using System;
using System.Buffers.Binary;

namespace Dormouse.Runtime.Image;

/// <summary>Appends little-endian numbers to the header page of an image.</summary>
internal ref struct HeaderWriter(Span<byte> page)
{
    private readonly Span<byte> _page = page;
    private int _position;

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_page[_position..]);
        _position += bytes.Length;
    }

    public void UInt32s(params ReadOnlySpan<uint> values)
    {
        foreach (uint value in values)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_page[_position..], value);
            _position += sizeof(uint);
        }
    }

    public void UInt64s(params ReadOnlySpan<ulong> values)
    {
        foreach (ulong value in values)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_page[_position..], value);
            _position += sizeof(ulong);
        }
    }
}
