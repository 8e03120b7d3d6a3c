using System.Buffers.Binary;

namespace Dormouse.Protocol.Image;

/// <summary>The kernel's code page in every process, vdso(7). World: all.</summary>
/// <remarks>
/// A woken program has the addresses of the old kernel's functions in memory and finds the new kernel's code there. So both
/// must have the same functions at the same places. The code itself may differ: the kernel patches it for each processor.
/// </remarks>
public static class Vdso
{
    private const int SectionTableOffset = 0x28;
    private const int SectionEntryBytes = 0x3A;
    private const int SectionEntryCount = 0x3C;
    private const uint DynamicSymbols = 11;
    private const int SymbolBytes = 24;

    /// <summary>A checksum of names and addresses of all its functions, never 0; 0 when <paramref name="image"/> cannot be read.</summary>
    /// <param name="image">The bytes of the mapping [vdso]: a 64-bit ELF file, elf(5).</param>
    public static uint Fingerprint(ReadOnlySpan<byte> image)
    {
        if (image.Length < 64 || !image[..4].SequenceEqual("\u007fELF"u8))
        {
            return 0;
        }

        ulong table = UInt64(image, SectionTableOffset);
        int entryBytes = UInt16(image, SectionEntryBytes);
        int count = UInt16(image, SectionEntryCount);
        if (entryBytes < 64 || table > (ulong)image.Length || (ulong)(entryBytes * count) > (ulong)image.Length - table)
        {
            return 0;
        }

        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> section = image.Slice((int)table + (index * entryBytes), entryBytes);
            if (UInt32(section, 4) == DynamicSymbols && UInt32(section, 40) < (uint)count)
            {
                ReadOnlySpan<byte> names = image.Slice((int)table + ((int)UInt32(section, 40) * entryBytes), entryBytes);
                return OfSymbols(Content(image, section), Content(image, names));
            }
        }

        return 0;
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> image, ReadOnlySpan<byte> section)
    {
        ulong offset = UInt64(section, 24);
        ulong length = UInt64(section, 32);
        return offset <= (ulong)image.Length && length <= (ulong)image.Length - offset
            ? image.Slice((int)offset, (int)length)
            : default;
    }

    private static uint OfSymbols(ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> names)
    {
        uint state = ~0u;
        for (; symbols.Length >= SymbolBytes; symbols = symbols[SymbolBytes..])
        {
            uint name = UInt32(symbols, 0);
            ReadOnlySpan<byte> text = name < (uint)names.Length ? names[(int)name..] : default;
            int end = text.IndexOf((byte)0);
            state = Crc32C.Append(state, end < 0 ? text : text[..end]);
            state = Crc32C.Append(state, symbols.Slice(8, 8));
        }

        return state == ~0u || ~state == 0 ? 1 : ~state;
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private static uint UInt32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static ulong UInt64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
