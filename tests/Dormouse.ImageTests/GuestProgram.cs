using System.Buffers.Binary;
using System.Diagnostics;

namespace Dormouse.ImageTests;

/// <summary>The compiled guest: its segments and symbols, to be put into images.</summary>
internal sealed class GuestProgram
{
    private static readonly Lazy<GuestProgram> s_compiled = new(Compile);
    private readonly byte[] _elf;

    private GuestProgram(byte[] elf) => _elf = elf;

    public static GuestProgram Compiled => s_compiled.Value;

    public ulong Entry => BinaryPrimitives.ReadUInt64LittleEndian(_elf.AsSpan(24));

    /// <summary>Loadable segments: address, rights as PROT_*, bytes of whole pages.</summary>
    public IEnumerable<(ulong Address, uint Protection, byte[] Bytes)> Segments()
    {
        var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(_elf.AsSpan(32));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(_elf.AsSpan(56));
        for (int index = 0; index < count; index++)
        {
            byte[] header = _elf[(table + (index * 56))..(table + ((index + 1) * 56))];
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != 1) continue;
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
            var offset = (int)BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8));
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(16));
            var fileBytes = (int)BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(32));
            var memoryBytes = (int)BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(40));
            var lead = (int)(address & 4095);
            var bytes = new byte[(lead + memoryBytes + 4095) & ~4095];
            _elf.AsSpan(offset, fileBytes).CopyTo(bytes.AsSpan(lead));
            yield return (address - (ulong)lead, ((flags & 4) != 0 ? 1u : 0) | ((flags & 2) != 0 ? 2u : 0) | ((flags & 1) != 0 ? 4u : 0), bytes);
        }
    }

    private static GuestProgram Compile()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "Guest/guest.c");
        string output = Path.Combine(Path.GetTempPath(), $"dormouse-guest-{Environment.ProcessId}");
        string include = Path.Combine(Repository.Root, "native-shim/include");
        using Process gcc = Process.Start("gcc",
            $"-std=c11 -O1 -ffreestanding -fno-stack-protector -fno-pic -no-pie -static -nostdlib -mno-red-zone -fcf-protection=none -I{include} "
            + $"-Wl,-Ttext=0x10000000,--section-start=.orders=0x10100000,-Tdata=0x10101000,-erestored,--build-id=none,-z,noexecstack {source} -o {output}");
        gcc.WaitForExit();
        byte[] elf = gcc.ExitCode == 0 ? File.ReadAllBytes(output) : throw new InvalidOperationException("gcc cannot compile the guest.");
        File.Delete(output);
        return new GuestProgram(elf);
    }
}
