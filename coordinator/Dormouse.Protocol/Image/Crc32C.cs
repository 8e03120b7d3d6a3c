using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;

namespace Dormouse.Protocol.Image;

/// <summary>CRC32C (Castagnoli): every checksum of an image. World: all.</summary>
/// <remarks>
/// Reflected polynomial 0x82F63B78, initial value ~0, final xor ~0, as in iSCSI (RFC 3720, appendix B.4). SSE 4.2 has it
/// as an instruction, about 10 GB/s; the table is for processors and emulators without.
/// </remarks>
public static class Crc32C
{
    private const uint Polynomial = 0x82F63B78;

    private static readonly uint[] s_table = MakeTable();

    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Append(~0u, bytes);

    /// <summary>Goes on with a checksum: start with ~0, invert the last result.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
        => Sse42.X64.IsSupported ? AppendByInstruction(state, bytes) : AppendByTable(state, bytes);

    internal static uint AppendByTable(uint state, ReadOnlySpan<byte> bytes)
    {
        uint[] table = s_table;
        foreach (byte value in bytes)
        {
            state = (state >> 8) ^ table[(byte)(state ^ value)];
        }

        return state;
    }

    private static uint AppendByInstruction(uint state, ReadOnlySpan<byte> bytes)
    {
        ulong wide = state;
        while (bytes.Length >= sizeof(ulong))
        {
            wide = Sse42.X64.Crc32(wide, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        state = (uint)wide;
        foreach (byte value in bytes)
        {
            state = Sse42.Crc32(state, value);
        }

        return state;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            uint value = index;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value >> 1) ^ ((value & 1) != 0 ? Polynomial : 0);
            }

            table[index] = value;
        }

        return table;
    }
}
