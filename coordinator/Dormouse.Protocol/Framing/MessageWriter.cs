using System.Buffers.Binary;
using Dormouse.Protocol.Image;

namespace Dormouse.Protocol;

/// <summary>Appends little-endian fields to a byte array that grows. Pass it by reference: a copy has its own length.</summary>
public struct MessageWriter(int capacity)
{
    private byte[] _buffer = new byte[capacity];

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>The array behind <see cref="Written"/>, for calls that need one. Replaced when the writer grows.</summary>
    public readonly byte[] Buffer => _buffer;

    public void Clear() => Length = 0;

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteBoolean(bool value) => Take(1)[0] = value ? (byte)1 : (byte)0;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void WritePhase(Phase value) => Take(1)[0] = (byte)value;

    /// <summary>Writes the bytes without their count.</summary>
    public void WriteBytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Writes u16 bytes of UTF-8, then these. What is not UTF-8 in a path survives, see <see cref="KernelText"/>.</summary>
    /// <exception cref="ArgumentException">The text has more than 65535 bytes.</exception>
    public void WriteString(string value)
    {
        byte[] bytes = KernelText.ToBytes(value);
        if (bytes.Length > ushort.MaxValue) throw new ArgumentException("A text in a message has at most 65535 bytes.", nameof(value));
        WriteUInt16((ushort)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>Overwrites four bytes written before, for counts that are known later.</summary>
    public readonly void PatchUInt32(int offset, uint value)
        => BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(offset, 4), value);

    private Span<byte> Take(int count)
    {
        int end = checked(Length + count);
        if (end > _buffer.Length) Array.Resize(ref _buffer, Math.Max(end, Math.Max(64, _buffer.Length * 2)));
        Span<byte> field = _buffer.AsSpan(Length, count);
        Length = end;
        return field;
    }
}
