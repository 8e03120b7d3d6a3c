using System.Buffers.Binary;
using System.Text;

namespace Dormouse.Launcher.Launch;

/// <summary>Reads as much of an ELF executable as tells whether our library can live in it. Layout: elf(5).</summary>
internal static class ElfFile
{
    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ushort MachineX86_64 = 62;
    private const uint ProgramInterpreter = 3;
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;

    /// <param name="start">The beginning of the file.</param>
    /// <returns>Why not, to follow the file's name in a sentence; null: nothing speaks against it.</returns>
    public static string? Refusal(ReadOnlySpan<byte> start)
    {
        if (!start.StartsWith("\u007FELF"u8))
            return "is neither an executable of this system nor a script that begins with #!. Name its interpreter, such as: dmlaunch sh FILE.";
        if (start.Length < HeaderBytes) return "is cut off: it has no complete ELF header. Build or copy it again.";
        if (start[4] != Class64) return "is a 32-bit program. Build it for 64 bits, or start it without dmlaunch.";
        if (start[5] != LittleEndian || BinaryPrimitives.ReadUInt16LittleEndian(start[18..]) != MachineX86_64)
            return "is for another kind of processor than x86-64. Build it for this one.";

        string? interpreter = Interpreter(start);
        if (interpreter is null) return "is a static program: our library cannot be loaded into it. Link it dynamically, or start it without dmlaunch.";
        if (interpreter.Contains("ld-musl", StringComparison.Ordinal))
            return "is linked with musl; only programs of glibc can be checkpointed. Build it on this system, or start it without dmlaunch.";
        return null;
    }

    /// <summary>The dynamic loader that it asks for; null: none.</summary>
    private static string? Interpreter(ReadOnlySpan<byte> start)
    {
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

            // A loader's name beyond what was read: unusual, and no reason to refuse.
            if (at > (ulong)start.Length || length > (ulong)start.Length - at) return "";
            return Encoding.UTF8.GetString(start.Slice((int)at, (int)length)).TrimEnd('\0');
        }

        return null;
    }
}
