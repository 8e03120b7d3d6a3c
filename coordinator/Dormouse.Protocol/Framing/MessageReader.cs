using System.Buffers.Binary;
using Dormouse.Protocol.Image;

namespace Dormouse.Protocol;

/// <summary>Reads the fields of one message, in the order in which <see cref="MessageWriter"/> wrote them.</summary>
/// <exception cref="ProtocolException">Every method: the message ends before the field does.</exception>
public ref struct MessageReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _rest.Length;

    public byte ReadByte() => Take(1)[0];

    public bool ReadBoolean() => Take(1)[0] switch
    {
        0 => false,
        1 => true,
        _ => throw new ProtocolException("A message has a yes-or-no field that is neither."),
    };

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public Phase ReadPhase()
    {
        byte value = ReadByte();
        if (value > (byte)Phase.Refill) throw new ProtocolException("A message names a phase that does not exist.");
        return (Phase)value;
    }

    public ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    public string ReadString() => KernelText.FromBytes(Take(ReadUInt16()));

    /// <summary>Reads the u32 count of a list and checks that so many items of at least <paramref name="minimumItemBytes"/> can follow,
    /// so that nobody allocates what a liar promises.</summary>
    public int ReadCount(int minimumItemBytes)
    {
        uint count = ReadUInt32();
        if (count > (uint)(_rest.Length / minimumItemBytes)) throw TooShort();
        return (int)count;
    }

    /// <exception cref="ProtocolException">Something follows the last field.</exception>
    public readonly void ExpectEnd()
    {
        if (!_rest.IsEmpty) throw new ProtocolException("A message is longer than its fields.");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) throw TooShort();
        ReadOnlySpan<byte> field = _rest[..count];
        _rest = _rest[count..];
        return field;
    }

    private static ProtocolException TooShort() => new("A message is shorter than its fields.");
}
