using System.Buffers.Binary;

namespace Dormouse.Protocol.Image;

/// <summary>Appends tagged fields to a growing buffer. Mirrors <see cref="ManifestReader"/>.</summary>
/// <remarks>A field: u16 tag | u32 bytes | value. A list: u32 count | items. A text: u32 bytes | bytes.</remarks>
internal sealed class ManifestWriter
{
    private byte[] _buffer = new byte[4096];
    private int _length;
    private int _fieldStart;

    /// <summary>What was written so far; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Begin(ManifestTag tag)
    {
        UInt16((ushort)tag);
        UInt32(0);
        _fieldStart = _length;
    }

    public void End()
        => BinaryPrimitives.WriteUInt32LittleEndian(
            _buffer.AsSpan(_fieldStart - sizeof(uint)), (uint)(_length - _fieldStart));

    public void Field(ManifestTag tag, ulong value)
    {
        Begin(tag);
        UInt64(value);
        End();
    }

    public void Field(ManifestTag tag, long value) => Field(tag, (ulong)value);

    public void Field(ManifestTag tag, uint value)
    {
        Begin(tag);
        UInt32(value);
        End();
    }

    public void Field(ManifestTag tag, int value) => Field(tag, (uint)value);

    public void Field(ManifestTag tag, bool value) => Field(tag, value ? 1u : 0u);

    public void Field(ManifestTag tag, string value)
    {
        Begin(tag);
        Text(value);
        End();
    }

    public void Field(ManifestTag tag, string[] values)
    {
        Begin(tag);
        UInt32((uint)values.Length);
        foreach (string value in values)
        {
            Text(value);
        }

        End();
    }

    public void Field(ManifestTag tag, int[] values)
    {
        Begin(tag);
        UInt32((uint)values.Length);
        foreach (int value in values)
        {
            UInt32((uint)value);
        }

        End();
    }

    public void Field(ManifestTag tag, uint[] values)
    {
        Begin(tag);
        UInt32((uint)values.Length);
        foreach (uint value in values)
        {
            UInt32(value);
        }

        End();
    }

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(sizeof(uint)), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(sizeof(ulong)), value);

    public void Text(string value)
    {
        byte[] bytes = KernelText.ToBytes(value);
        UInt32((uint)bytes.Length);
        bytes.CopyTo(Take(bytes.Length));
    }

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }

        Span<byte> span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
