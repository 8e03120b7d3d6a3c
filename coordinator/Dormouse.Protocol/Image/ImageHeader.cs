using System.Buffers.Binary;

namespace Dormouse.Protocol.Image;

/// <summary>Where a table of an image lies, and its checksum.</summary>
/// <param name="Offset">In the file.</param>
/// <param name="Count">Bytes, or records for a table of records.</param>
/// <param name="Checksum">CRC32C of its bytes.</param>
public readonly record struct ImageSection(ulong Offset, ulong Count, uint Checksum);

/// <summary>The first page of an image: struct dm_image_header.</summary>
/// <remarks>
/// Little-endian, offset: 0 magic[8] | 8 u32 version, machine, header bytes, page bytes | 24 u64 computation |
/// 32 u32 generation, member, image count, pid | 48 u64 file bytes | 56 u64 offset and count of: manifest, mappings, threads,
/// strings, extents | 136 u32 checksums in the same order | 160 u64 entry, restart info, signature | 184 memory layout |
/// 792 u32 checksum of the page with this field as 0.
/// </remarks>
public readonly record struct ImageHeader
{
    internal const int SectionsOffset = 56;
    internal const int ChecksumsOffset = 136;
    internal const int EntryOffset = 160;
    internal const int MemoryLayoutOffset = 184;
    internal const int ExePathOffset = MemoryLayoutOffset + 92;
    internal const int HeaderChecksumOffset = 792;

    /// <summary>The same in all images of one computation.</summary>
    public ulong Computation { get; private init; }

    /// <summary>Which checkpoint of the computation.</summary>
    public uint Generation { get; private init; }

    /// <summary>Which process of the computation.</summary>
    public uint Member { get; private init; }

    /// <summary>How many images the generation has.</summary>
    public uint ImageCount { get; private init; }

    /// <summary>Process id that the program saw.</summary>
    public int Pid { get; private init; }

    /// <summary>Page size of the machine.</summary>
    public uint PageBytes { get; private init; }

    /// <summary>Bytes of the whole file.</summary>
    public ulong FileBytes { get; private init; }

    /// <summary>The manifest; the count is bytes.</summary>
    public ImageSection Manifest { get; private init; }

    /// <summary>The mappings; the count is records.</summary>
    public ImageSection Vmas { get; private init; }

    /// <summary>The threads; the count is records.</summary>
    public ImageSection Threads { get; private init; }

    /// <summary>NUL-terminated paths; the count is bytes.</summary>
    public ImageSection Strings { get; private init; }

    /// <summary>The memory; the count is records.</summary>
    public ImageSection Extents { get; private init; }

    /// <summary>Offset of the executable's path in the strings.</summary>
    public uint ExePath { get; private init; }

    /// <summary>Decodes and checks the first page of a file of <paramref name="actualFileBytes"/> bytes.</summary>
    /// <exception cref="ImageFormatException">One sentence: what is wrong with <paramref name="name"/>.</exception>
    public static ImageHeader Read(ReadOnlySpan<byte> page, long actualFileBytes, string name)
    {
        if (page.Length < ImageLayout.HeaderBytes || !page[..8].SequenceEqual(ImageLayout.Magic))
        {
            throw new ImageFormatException(page.Length > 0 && page[..Math.Min(8, page.Length)].IndexOfAnyExcept((byte)0) < 0
                ? $"{name} is not complete: writing it was never finished. Use the previous generation."
                : $"{name} is not a Dormouse image.");
        }

        uint version = UInt32(page, 8);
        if (version != ImageLayout.Version)
        {
            throw new ImageFormatException(
                $"{name} is an image of version {version}; this dmrestart reads version {ImageLayout.Version}. Use the release of Dormouse that wrote it.");
        }

        uint machine = UInt32(page, 12);
        if (machine != ImageLayout.MachineX64)
        {
            throw new ImageFormatException($"{name} is from another processor architecture (ELF machine {machine}); it wakes only there.");
        }

        if (ChecksumOfPage(page) != UInt32(page, HeaderChecksumOffset))
        {
            throw new ImageFormatException($"{name} is damaged: the checksum of its header does not match.");
        }

        ImageHeader header = Decode(page);
        header.Check(actualFileBytes, name);
        return header;
    }

    /// <summary>CRC32C of a header page with its checksum field as 0.</summary>
    public static uint ChecksumOfPage(ReadOnlySpan<byte> page)
    {
        uint state = Crc32C.Append(~0u, page[..HeaderChecksumOffset]);
        state = Crc32C.Append(state, stackalloc byte[sizeof(uint)]);
        return ~Crc32C.Append(state, page[(HeaderChecksumOffset + sizeof(uint))..ImageLayout.HeaderBytes]);
    }

    private static ImageHeader Decode(ReadOnlySpan<byte> page) => new()
    {
        PageBytes = UInt32(page, 20),
        Computation = UInt64(page, 24),
        Generation = UInt32(page, 32),
        Member = UInt32(page, 36),
        ImageCount = UInt32(page, 40),
        Pid = (int)UInt32(page, 44),
        FileBytes = UInt64(page, 48),
        Manifest = Section(page, 0),
        Vmas = Section(page, 1),
        Threads = Section(page, 2),
        Strings = Section(page, 3),
        Extents = Section(page, 4),
        ExePath = UInt32(page, ExePathOffset),
    };

    private void Check(long actualFileBytes, string name)
    {
        if (FileBytes > (ulong)actualFileBytes)
        {
            throw new ImageFormatException(
                $"{name} is truncated: it has {actualFileBytes} bytes and should have {FileBytes}. Copy it again or use the previous generation.");
        }

        bool consistent = FileBytes == (ulong)actualFileBytes && PageBytes == 4096 && ImageCount > 0 && Pid > 0
            && Fits(Manifest, 1) && Fits(Vmas, ImageLayout.VmaBytes) && Fits(Threads, ImageLayout.ThreadBytes)
            && Fits(Strings, 1) && Fits(Extents, ImageLayout.ExtentBytes) && Threads.Count > 0 && Vmas.Count > 0;
        if (!consistent)
        {
            throw new ImageFormatException($"{name} is damaged: its header does not describe this file.");
        }
    }

    private bool Fits(ImageSection section, uint recordBytes)
        => section.Offset <= FileBytes && section.Count <= (FileBytes - section.Offset) / recordBytes;

    private static ImageSection Section(ReadOnlySpan<byte> page, int index)
        => new(
            UInt64(page, SectionsOffset + (index * 16)),
            UInt64(page, SectionsOffset + (index * 16) + 8),
            UInt32(page, ChecksumsOffset + (index * 4)));

    private static uint UInt32(ReadOnlySpan<byte> page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page[offset..]);

    private static ulong UInt64(ReadOnlySpan<byte> page, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(page[offset..]);
}
