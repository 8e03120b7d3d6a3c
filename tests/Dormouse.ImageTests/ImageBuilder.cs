using System.Buffers.Binary;
using Dormouse.Launcher.Restart;
using Dormouse.Protocol.Image;

namespace Dormouse.ImageTests;

/// <summary>Writes images of the guest program: a second implementation of the format, after docs and header only.</summary>
internal sealed class ImageBuilder
{
    private const ulong OrdersAddress = 0x10100000;
    private const ulong InfoAddress = 0x10200000;
    private const ulong PatternAddress = 0x20000000;
    private const ulong StackAddress = 0x7ffd00000000;
    private const ulong HeapAddress = 0x11000000;
    private const ulong KernelAddress = 0x7ff000000000;
    private const int GrowsDown = 0x100;

    private readonly List<(ImageVma Vma, byte[]? Bytes)> _memory = [];
    private readonly List<byte> _strings = [];

    public ImageManifest Manifest { get; init; } = new();

    public int ExitStatus { get; init; }

    public int StaySeconds { get; init; }

    /// <summary>Bytes of memory filled with a pattern that the guest verifies.</summary>
    public int PatternBytes { get; init; } = 3 * 4096;

    /// <summary>Whether the guest looks at the pattern.</summary>
    public bool IsPatternVerified { get; init; } = true;

    /// <summary>Lengths of extents vary when set, and every second page is left out, so that many small extents appear.</summary>
    public bool Scattered { get; init; }

    /// <summary>The memory does not match its checksum.</summary>
    public bool DamagesMemory { get; init; }

    /// <summary>A file that is mapped privately, or null.</summary>
    public string? MappedFile { get; init; }

    public byte[] Build()
    {
        AddGuest();
        AddPattern();
        _memory.Add((Vma(InfoAddress, 4096, 3, VmaKind.Anonymous), null));
        _memory.Add((Vma(HeapAddress, 0x21000, 3, VmaKind.Anonymous), null));
        _memory.Add((Vma(StackAddress, 0x21000, 3, VmaKind.Anonymous) with { MapFlags = GrowsDown }, null));
        AddKernelPages();
        AddFile();
        _memory.Sort((left, right) => left.Vma.Start.CompareTo(right.Vma.Start));
        return Assemble();
    }

    private static ImageVma Vma(ulong start, ulong bytes, uint protection, VmaKind kind)
        => new(start, start + bytes, protection, 0, kind, 0, 0, ImageLayout.NoPath, VmaFlags.None, 0, 0);

    private uint Text(string text)
    {
        var offset = (uint)_strings.Count;
        _strings.AddRange(KernelText.ToBytes(text));
        _strings.Add(0);
        return offset;
    }

    private void AddGuest()
    {
        foreach ((ulong address, uint protection, byte[] bytes) in GuestProgram.Compiled.Segments())
        {
            if (address == OrdersAddress) WriteOrders(bytes);
            _memory.Add((Vma(address, (ulong)bytes.Length, protection, VmaKind.Anonymous), bytes));
        }
    }

    private void WriteOrders(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], InfoAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], (ulong)Math.Max(1, Manifest.Threads.Length));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], (ulong)ExitStatus);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], (ulong)StaySeconds);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[40..], PatternBytes > 0 && !Scattered && IsPatternVerified ? PatternAddress : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[48..], (ulong)(Scattered || !IsPatternVerified ? 0 : PatternBytes));
    }

    private void AddPattern()
    {
        var bytes = new byte[PatternBytes];
        for (int offset = 0; offset < bytes.Length; offset += 8)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), PatternAddress + (ulong)offset);
        // Read-only at the end: the restorer has to fill it all the same.
        if (PatternBytes > 0) _memory.Add((Vma(PatternAddress, (ulong)PatternBytes, 1, VmaKind.Anonymous), bytes));
    }

    private void AddKernelPages()
    {
        ulong address = KernelAddress;
        foreach (VmaKind kind in new[] { VmaKind.Vvar, VmaKind.VvarClock, VmaKind.Vdso })
        {
            if (!KernelPages.Read().Bytes.TryGetValue(kind, out ulong size)) continue;
            _memory.Add((Vma(address, size, kind == VmaKind.Vdso ? 5u : 1u, kind), null));
            address += size;
        }
    }

    private void AddFile()
    {
        if (MappedFile is null) return;
        var file = new FileInfo(MappedFile);
        ulong bytes = ((ulong)file.Length + 4095) & ~4095ul;
        _memory.Add((Vma(0x30000000, bytes, 1, VmaKind.File) with
        {
            Path = Text(MappedFile),
            FileSizeBytes = (ulong)file.Length,
            FileModifiedNanoseconds = (ulong)(file.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100,
        }, null));
    }

    private byte[] Assemble()
    {
        using var file = new MemoryStream();
        file.SetLength(ImageLayout.HeaderBytes);
        file.Position = ImageLayout.HeaderBytes;
        uint exePath = Text("/bin/true");
        byte[] header = new byte[ImageLayout.HeaderBytes];
        byte[] manifest = Manifest.Write();
        List<byte[]> extents = [];
        var sections = new (int Index, byte[] Bytes, int RecordBytes)[]
        {
            (0, manifest, 1),
            (1, Join(_memory.ConvertAll(entry => WriteVma(entry.Vma))), ImageLayout.VmaBytes),
            (2, Join(WriteThreads()), ImageLayout.ThreadBytes),
            (3, [.. _strings], 1),
        };
        foreach ((int index, byte[] bytes, int recordBytes) in sections) AppendSection(file, header, index, bytes, recordBytes);
        foreach ((ImageVma vma, byte[]? bytes) in _memory) AppendMemory(file, extents, vma.Start, bytes ?? []);
        AppendSection(file, header, 4, Join(extents), ImageLayout.ExtentBytes);
        WriteHeader(header, (ulong)file.Length, exePath);
        header.CopyTo(file.GetBuffer(), 0);
        return file.ToArray();
    }

    private void AppendMemory(MemoryStream file, List<byte[]> extents, ulong address, byte[] bytes)
    {
        int step = Scattered ? 4096 : (int)ImageLayout.LongestExtentBytes;
        for (int offset = 0; offset < bytes.Length; offset += Scattered && address == PatternAddress ? 2 * step : step)
        {
            ReadOnlySpan<byte> part = bytes.AsSpan(offset, Math.Min(step, bytes.Length - offset));
            file.Position = file.Length + 4095 & ~4095L;
            var record = new byte[ImageLayout.ExtentBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(record, address + (ulong)offset);
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(8), (ulong)file.Position);
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(16), (uint)part.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(20), (uint)part.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(28), Crc32C.Of(part) ^ (DamagesMemory ? 1u : 0));
            extents.Add(record);
            file.Write(part);
        }
    }

    private static void AppendSection(MemoryStream file, Span<byte> header, int index, byte[] bytes, int recordBytes)
    {
        file.Position = file.Length;
        BinaryPrimitives.WriteUInt64LittleEndian(header[(56 + (index * 16))..], (ulong)file.Position);
        BinaryPrimitives.WriteUInt64LittleEndian(header[(64 + (index * 16))..], (ulong)(bytes.Length / recordBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(header[(136 + (index * 4))..], Crc32C.Of(bytes));
        file.Write(bytes);
    }

    private void WriteHeader(Span<byte> header, ulong fileBytes, uint exePath)
    {
        ImageLayout.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], ImageLayout.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], ImageLayout.MachineX64);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], ImageLayout.HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 4096);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], Manifest.Computation);
        BinaryPrimitives.WriteUInt32LittleEndian(header[32..], Manifest.Generation);
        BinaryPrimitives.WriteUInt32LittleEndian(header[36..], Manifest.Member);
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], Manifest.ImageCount);
        BinaryPrimitives.WriteUInt32LittleEndian(header[44..], (uint)Manifest.Pid);
        BinaryPrimitives.WriteUInt64LittleEndian(header[48..], fileBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header[160..], GuestProgram.Compiled.Entry);
        BinaryPrimitives.WriteUInt64LittleEndian(header[168..], InfoAddress);
        ulong[] layout =
        [
            0x10000000, 0x10001000, 0x10100000, 0x10101000, HeapAddress, HeapAddress + 0x21000, StackAddress + 0x20000,
            StackAddress + 0x20000, StackAddress + 0x20100, StackAddress + 0x20100, StackAddress + 0x20200,
        ];
        for (int index = 0; index < layout.Length; index++) BinaryPrimitives.WriteUInt64LittleEndian(header[(184 + (index * 8))..], layout[index]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[272..], 2);
        BinaryPrimitives.WriteUInt32LittleEndian(header[276..], exePath);
        BinaryPrimitives.WriteUInt32LittleEndian(header[792..], ImageHeader.ChecksumOfPage(header));
    }

    private List<byte[]> WriteThreads()
    {
        List<byte[]> records = [];
        int[] threads = Manifest.Threads.Length > 0 ? Manifest.Threads : [Manifest.Pid];
        for (int index = 0; index < threads.Length; index++)
        {
            var record = new byte[ImageLayout.ThreadBytes];
            BinaryPrimitives.WriteInt32LittleEndian(record, threads[index]);
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), index == 0 ? 1u : 0);
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(16), (ulong)index);
            records.Add(record);
        }

        return records;
    }

    private static byte[] WriteVma(ImageVma vma)
    {
        var record = new byte[ImageLayout.VmaBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(record, vma.Start);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(8), vma.End);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(16), vma.Protection);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(20), vma.MapFlags);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(24), (uint)vma.Kind);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(28), vma.Advice);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(32), vma.FileOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(40), vma.Path);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(48), vma.FileSizeBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(56), vma.FileModifiedNanoseconds);
        return record;
    }

    private static byte[] Join(List<byte[]> parts)
    {
        List<byte> all = [];
        foreach (byte[] part in parts) all.AddRange(part);
        return [.. all];
    }
}
