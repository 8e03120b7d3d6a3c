using System.Buffers.Binary;

namespace Dormouse.Protocol.Image;

/// <summary>Reads tagged fields. Mirrors <see cref="ManifestWriter"/>.</summary>
/// <remarks>Whatever does not fit ends in an <see cref="ImageFormatException"/>, never outside the bytes.</remarks>
internal ref struct ManifestReader
{
    private ReadOnlySpan<byte> _rest;

    public ManifestReader(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Whether all has been read.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>The next field: its tag, and a reader of its value alone.</summary>
    public ManifestReader Field(out ManifestTag tag)
    {
        tag = (ManifestTag)UInt16();
        return new ManifestReader(Take(UInt32()));
    }

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public int Int32() => (int)UInt32();

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public long Int64() => (long)UInt64();

    public bool Boolean() => UInt32() != 0;

    public string Text() => KernelText.FromBytes(Take(UInt32()));

    /// <summary>The number of items that follow, each at least <paramref name="itemBytes"/> long.</summary>
    /// <remarks>Checked before anything is allocated, so that a damaged count costs nothing.</remarks>
    public int Count(int itemBytes)
    {
        uint count = UInt32();
        return count <= (uint)(_rest.Length / itemBytes)
            ? (int)count
            : throw new ImageFormatException("The manifest of the image is damaged: a list is longer than the field that holds it.");
    }

    public string[] Texts()
    {
        var values = new string[Count(sizeof(uint))];
        for (int index = 0; index < values.Length; index++)
        {
            values[index] = Text();
        }

        return values;
    }

    public int[] Int32s()
    {
        var values = new int[Count(sizeof(int))];
        for (int index = 0; index < values.Length; index++)
        {
            values[index] = Int32();
        }

        return values;
    }

    public uint[] UInt32s()
    {
        var values = new uint[Count(sizeof(uint))];
        for (int index = 0; index < values.Length; index++)
        {
            values[index] = UInt32();
        }

        return values;
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)_rest.Length)
        {
            throw new ImageFormatException("The manifest of the image is damaged: it ends inside a field.");
        }

        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
