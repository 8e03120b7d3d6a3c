using System.Buffers.Binary;

namespace Dormouse.Protocol.Programs;

/// <summary>Whether our library can live in a program, as far as its file tells.</summary>
public enum ProgramKind
{
    /// <summary>Nothing speaks against it.</summary>
    Ordinary,

    /// <summary>No ELF file: a script perhaps.</summary>
    NotElf,

    /// <summary>Its header is cut off.</summary>
    Incomplete,

    /// <summary>For 32 bits.</summary>
    ThirtyTwoBits,

    /// <summary>For another processor than x86-64.</summary>
    OtherProcessor,

    /// <summary>Asks for no dynamic loader.</summary>
    Static,

    /// <summary>Asks for the loader of musl or another C library that is not glibc.</summary>
    OtherLibc,
}

/// <summary>Reads as much of an ELF executable as tells what kind of program it is. Layout: elf(5).</summary>
public static class ElfProgram
{
    /// <summary>That much of a file's beginning is certain to hold what is looked at here.</summary>
    public const int StartBytes = 16384;

    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ushort MachineX86_64 = 62;
    private const uint ProgramInterpreter = 3;
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;

    /// <param name="start">The beginning of the file.</param>
    public static ProgramKind KindOf(ReadOnlySpan<byte> start)
    {
        if (!start.StartsWith("\u007FELF"u8)) return ProgramKind.NotElf;
        if (start.Length < HeaderBytes) return ProgramKind.Incomplete;
        if (start[4] != Class64) return ProgramKind.ThirtyTwoBits;
        if (start[5] != LittleEndian || BinaryPrimitives.ReadUInt16LittleEndian(start[18..]) != MachineX86_64) return ProgramKind.OtherProcessor;
        if (!TryFindInterpreter(start, out ReadOnlySpan<byte> interpreter)) return ProgramKind.Static;

        // A loader's name beyond what was read is unusual, and no reason to refuse.
        ReadOnlySpan<byte> name = interpreter[(interpreter.LastIndexOf((byte)'/') + 1)..];
        return interpreter.IsEmpty || name.StartsWith("ld-linux-x86-64"u8) ? ProgramKind.Ordinary : ProgramKind.OtherLibc;
    }

    private static bool TryFindInterpreter(ReadOnlySpan<byte> start, out ReadOnlySpan<byte> interpreter)
    {
        interpreter = default;
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(start[32..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(start[56..]);
        for (int i = 0; i < count; i++)
        {
            ulong offset = table + ((ulong)i * ProgramHeaderBytes);
            if (offset > (ulong)(start.Length - ProgramHeaderBytes)) break;
            ReadOnlySpan<byte> header = start.Slice((int)offset, ProgramHeaderBytes);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != ProgramInterpreter) continue;
            ulong at = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (at <= (ulong)start.Length && length <= (ulong)start.Length - at) interpreter = start.Slice((int)at, (int)length);
            return true;
        }

        return false;
    }
}
