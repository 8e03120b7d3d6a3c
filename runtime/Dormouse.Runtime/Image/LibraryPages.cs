// World: Frozen.
using System;
using System.Buffers.Binary;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Image;

/// <summary>
/// The pages of libdormouse itself that nobody changes. Every image carries them, so that it can be woken after the library's file was
/// replaced; they were compressed when the library was built: native-shim/include/dm_library_pages.h.
/// </summary>
internal sealed unsafe class LibraryPages
{
    private const string Suffix = ".pages", LibrarySuffix = ".so";
    private const int HeaderBytes = 32, BuildIdOffset = 8, CountOffset = 28, BlockBytes = 32;
    private static string? s_path;
    private readonly Block[] _blocks;

    private LibraryPages(Block[] blocks) => _blocks = blocks;

    /// <summary>struct dm_library_block, its place as an address.</summary>
    private readonly record struct Block(ulong Start, ulong FileOffset, uint Bytes, uint StoredBytes, uint Codec, uint Checksum)
    {
        public ulong End => Start + Bytes;
    }

    /// <summary>Where they are in the image: struct dm_image_extent, ascending.</summary>
    public byte[] Extents { get; private set; } = [];

    /// <summary>Where they end in the image.</summary>
    public ulong End { get; private set; } = ImageLayout.HeaderBytes;

    private static ulong LibraryStart => Shim.Self()->LibraryStart;

    private static ulong LibraryEnd => Shim.Self()->LibraryEnd;

    /// <summary>Whether a mapping shows the library (or, since a restart, what was it).</summary>
    public static bool Shows(Mapping mapping) => mapping.Start >= LibraryStart && mapping.Start < LibraryEnd && !mapping.IsShared;

    /// <summary>Finds the pages that belong to the library in memory and copies them into the image, behind the header; without any
    /// they are saved like other memory. World: Guest: nothing of this changes, so the program need not stand still for it.</summary>
    public static LibraryPages PutInto(int image)
    {
        int fd = DescriptorNumbers.Raise(Kernel.Open(FindPath(MapsReader.ReadWithoutFlags()), Constant.O_RDONLY | Constant.O_CLOEXEC));
        var pages = new LibraryPages(fd < 0 ? [] : ReadBlocks(fd));
        try
        {
            pages.Copy(fd, image);
        }
        finally
        {
            Kernel.Close(fd);
        }

        return pages;
    }

    /// <summary>Calls <paramref name="add"/> for all parts of a mapping, ascending; the second argument says whether the part is here.</summary>
    public void Split(Mapping mapping, Action<Mapping, bool> add)
    {
        ulong at = mapping.Start;
        bool isWritable = (mapping.Protection & Constant.PROT_WRITE) != 0;
        for (int i = 0; i < _blocks.Length && !isWritable; i++)
        {
            if (_blocks[i].Start < at || _blocks[i].End > mapping.End)
            {
                continue;
            }

            ulong start = _blocks[i].Start, end = _blocks[i].End;
            while (i + 1 < _blocks.Length && _blocks[i + 1].Start == end && _blocks[i + 1].End <= mapping.End)
            {
                end = _blocks[++i].End;
            }

            AddPart(mapping, at, start, false, add);
            AddPart(mapping, start, end, true, add);
            at = end;
        }

        AddPart(mapping, at, mapping.End, false, add);
    }

    private void Copy(int fd, int image)
    {
        Extents = GC.AllocateUninitializedArray<byte>(_blocks.Length * ImageLayout.ExtentBytes, pinned: true);
        for (int i = 0; i < _blocks.Length; i++)
        {
            Block block = _blocks[i];
            long error = Kernel.CopyRange(fd, (long)block.FileOffset, image, (long)End, block.StoredBytes);
            if (error < 0)
            {
                throw new CheckpointException($"cannot copy {s_path} into the image: {Errno.Text(error)}. Make room or choose another directory with --ckptdir.");
            }

            Span<byte> record = Extents.AsSpan(i * ImageLayout.ExtentBytes, ImageLayout.ExtentBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(record, block.Start);
            BinaryPrimitives.WriteUInt64LittleEndian(record[8..], End);
            BinaryPrimitives.WriteUInt32LittleEndian(record[16..], block.Bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(record[20..], block.StoredBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(record[24..], block.Codec);
            BinaryPrimitives.WriteUInt32LittleEndian(record[28..], block.Checksum);
            End += block.StoredBytes;
        }
    }

    private static void AddPart(Mapping whole, ulong start, ulong end, bool isHere, Action<Mapping, bool> add)
    {
        if (start < end)
        {
            add(whole with { Start = start, End = end, Offset = whole.Offset + (start - whole.Start) }, isHere);
        }
    }

    // After a restart from the image's own copy the mappings have no name any more: the file is where it was, or has been replaced.
    private static string FindPath(List<Mapping> mappings)
    {
        foreach (Mapping mapping in mappings)
        {
            if (Shows(mapping) && mapping.IsFile && mapping.Path.EndsWith(LibrarySuffix, StringComparison.Ordinal))
            {
                s_path = mapping.Path[..^LibrarySuffix.Length] + Suffix;
            }
        }

        return s_path ?? "";
    }

    private static Block[] ReadBlocks(int fd)
    {
        byte[] header = new byte[HeaderBytes];
        if (Kernel.ReadAt(fd, header, 0) != HeaderBytes || !header.AsSpan(0, BuildIdOffset).SequenceEqual("DMPAGES1"u8)
            || !header.AsSpan(BuildIdOffset, BuildId.Bytes).SequenceEqual(BuildId.Of(LibraryStart)))
        {
            return [];
        }

        byte[] records = new byte[BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(CountOffset)) * BlockBytes];
        if (Kernel.ReadAt(fd, records, HeaderBytes) != records.Length)
        {
            return [];
        }

        var blocks = new Block[records.Length / BlockBytes];
        for (int i = 0; i < blocks.Length; i++)
        {
            ReadOnlySpan<byte> record = records.AsSpan(i * BlockBytes, BlockBytes);
            blocks[i] = new Block(
                LibraryStart + BinaryPrimitives.ReadUInt64LittleEndian(record),
                BinaryPrimitives.ReadUInt64LittleEndian(record[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[20..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[24..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[28..]));
        }

        return blocks;
    }
}
