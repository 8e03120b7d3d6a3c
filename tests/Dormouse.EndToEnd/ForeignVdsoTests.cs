using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Images of another kernel: its code page in them is not this kernel's. Such an image is made by changing a byte of it.</summary>
internal sealed class ForeignVdsoTests
{
    // native-shim/include/dm_image.h
    private const int ExtentsAt = 120, FileBytesAt = 48, ExtentChecksumAt = 152, HeaderChecksumAt = 792, HeaderBytes = 4096, ExtentBytes = 32, PageBytes = 4096;
    private const int MappingsAt = 72, MappingBytes = 64, MappingKindAt = 24, KindVdso = 5;

    [Test, CancelAfter(90_000)]
    public async Task Image_OfAnotherKernel_KnowsTheTime(CancellationToken token)
    {
        Sample sample = new("timers", "timers");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        MakeForeign(report.Images.Single().Path);
        await program.RestartAsync(token);
        string maps = await File.ReadAllTextAsync($"/proc/{program.MemberPids().Last()}/maps", token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        Assert.That(maps, Does.Not.Contain("[vdso]"), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>Appends a code page that differs in a byte nobody looks at, and lets the image refer to it.</summary>
    private static void MakeForeign(string path)
    {
        byte[] page = OwnVdso();
        page[7] ^= 0xff; // EI_OSABI

        byte[] file = File.ReadAllBytes(path);
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(ExtentsAt)), count = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(ExtentsAt + 8));
        byte[] extents = file[table..(table + (count * ExtentBytes))];
        ulong address = AddressOfVdso(file);
        Span<byte> extent = extents.AsSpan(Enumerable.Range(0, count).Single(i => BinaryPrimitives.ReadUInt64LittleEndian(extents.AsSpan(i * ExtentBytes)) == address) * ExtentBytes);
        int offset = (file.Length + PageBytes - 1) / PageBytes * PageBytes;
        BinaryPrimitives.WriteUInt64LittleEndian(extent[8..], (ulong)offset);
        BinaryPrimitives.WriteUInt32LittleEndian(extent[20..], (uint)page.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(extent[24..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(extent[28..], Checksum(page));

        Array.Resize(ref file, offset + page.Length + extents.Length);
        page.CopyTo(file, offset);
        extents.CopyTo(file, offset + page.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(ExtentsAt), (ulong)(offset + page.Length));
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(FileBytesAt), (ulong)file.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(ExtentChecksumAt), Checksum(extents));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(HeaderChecksumAt), 0);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(HeaderChecksumAt), Checksum(file.AsSpan(0, HeaderBytes)));
        File.WriteAllBytes(path, file);
    }

    private static ulong AddressOfVdso(byte[] file)
    {
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(MappingsAt));
        while (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(table + MappingKindAt)) != KindVdso) table += MappingBytes;
        return BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(table));
    }

    private static unsafe byte[] OwnVdso()
    {
        string line = File.ReadLines("/proc/self/maps").Single(line => line.EndsWith("[vdso]", StringComparison.Ordinal));
        string[] ends = line.Split(' ')[0].Split('-');
        ulong start = ulong.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        ulong bytes = ulong.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) - start;
        return new ReadOnlySpan<byte>((void*)start, (int)bytes).ToArray();
    }

    // CRC32C
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint state = ~0u;
        foreach (byte value in bytes) state = BitOperations.Crc32C(state, value);
        return ~state;
    }
}
