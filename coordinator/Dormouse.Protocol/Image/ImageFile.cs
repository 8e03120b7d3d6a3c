using Microsoft.Win32.SafeHandles;

namespace Dormouse.Protocol.Image;

/// <summary>An image on disk: header, manifest and tables, checked; memory is left in the file. World: Ordinary.</summary>
public sealed class ImageFile
{
    private readonly byte[] _strings;

    private ImageFile(string path, ImageHeader header, ImageManifest manifest, ImageVma[] vmas, ImageThread[] threads,
        ImageExtent[] extents, byte[] strings)
    {
        Path = path;
        Header = header;
        Manifest = manifest;
        Vmas = vmas;
        Threads = threads;
        Extents = extents;
        _strings = strings;
    }

    /// <summary>Where the file was opened.</summary>
    public string Path { get; }

    /// <summary>The first page.</summary>
    public ImageHeader Header { get; }

    /// <summary>Who, where, when.</summary>
    public ImageManifest Manifest { get; }

    /// <summary>The mappings, ascending.</summary>
    public ImageVma[] Vmas { get; }

    /// <summary>The threads.</summary>
    public ImageThread[] Threads { get; }

    /// <summary>The pieces of memory, ascending.</summary>
    public ImageExtent[] Extents { get; }

    /// <summary>Opens and checks all but the memory.</summary>
    /// <exception cref="ImageFormatException">One sentence that names the file and says what is wrong.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static ImageFile Open(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        ImageHeader header = ReadHeader(file, path);
        ImageManifest manifest;
        try
        {
            manifest = ImageManifest.Read(ReadSection(file, path, header.Manifest, 1, "manifest"));
        }
        catch (ImageFormatException problem)
        {
            throw problem.Message.StartsWith(path, StringComparison.Ordinal)
                ? problem
                : new ImageFormatException($"{path}: {problem.Message}", problem);
        }

        var image = new ImageFile(
            path,
            header,
            manifest,
            ReadRecords(ReadSection(file, path, header.Vmas, ImageLayout.VmaBytes, "list of mappings"), ImageLayout.VmaBytes, ImageVma.Read),
            ReadRecords(ReadSection(file, path, header.Threads, ImageLayout.ThreadBytes, "list of threads"), ImageLayout.ThreadBytes, ImageThread.Read),
            ReadRecords(ReadSection(file, path, header.Extents, ImageLayout.ExtentBytes, "list of extents"), ImageLayout.ExtentBytes, ImageExtent.Read),
            ReadSection(file, path, header.Strings, 1, "list of strings"));
        image.Check();
        return image;
    }

    /// <summary>The header alone: enough to group images.</summary>
    /// <exception cref="ImageFormatException">One sentence that names the file and says what is wrong.</exception>
    public static ImageHeader OpenHeader(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        return ReadHeader(file, path);
    }

    /// <summary>The path at <paramref name="offset"/> of the strings, or null when there is none.</summary>
    public string? Text(uint offset)
    {
        if (offset == ImageLayout.NoPath || offset >= _strings.Length)
        {
            return null;
        }

        ReadOnlySpan<byte> rest = _strings.AsSpan((int)offset);
        int end = rest.IndexOf((byte)0);
        return KernelText.FromBytes(end < 0 ? rest : rest[..end]);
    }

    /// <summary>Reads all memory and compares its checksums.</summary>
    /// <exception cref="ImageFormatException">A piece of memory is damaged.</exception>
    public void VerifyMemory()
    {
        using SafeFileHandle file = File.OpenHandle(Path);
        byte[] buffer = [];
        foreach (ImageExtent extent in Extents)
        {
            if (buffer.Length < extent.StoredBytes)
            {
                buffer = new byte[extent.StoredBytes];
            }

            Span<byte> stored = buffer.AsSpan(0, (int)extent.StoredBytes);
            ReadFully(file, stored, (long)extent.FileOffset, Path);
            if (Crc32C.Of(stored) != extent.Checksum)
            {
                throw new ImageFormatException(
                    $"{Path} is damaged: the memory at 0x{extent.Address:x} does not match its checksum. Use the previous generation.");
            }
        }
    }

    private static ImageHeader ReadHeader(SafeFileHandle file, string path)
    {
        var page = new byte[ImageLayout.HeaderBytes];
        int length = 0;
        while (length < page.Length)
        {
            int got = RandomAccess.Read(file, page.AsSpan(length), length);
            if (got == 0)
            {
                break;
            }

            length += got;
        }

        return ImageHeader.Read(page.AsSpan(0, length), RandomAccess.GetLength(file), path);
    }

    private static byte[] ReadSection(SafeFileHandle file, string path, ImageSection section, int recordBytes, string what)
    {
        ulong length = section.Count * (ulong)recordBytes;
        if (length > (ulong)Array.MaxLength)
        {
            throw new ImageFormatException($"{path} is damaged: its {what} is too long.");
        }

        var bytes = new byte[length];
        ReadFully(file, bytes, (long)section.Offset, path);
        return Crc32C.Of(bytes) == section.Checksum
            ? bytes
            : throw new ImageFormatException($"{path} is damaged: the checksum of its {what} does not match.");
    }

    private static void ReadFully(SafeFileHandle file, Span<byte> bytes, long offset, string path)
    {
        while (!bytes.IsEmpty)
        {
            int got = RandomAccess.Read(file, bytes, offset);
            if (got == 0)
            {
                throw new ImageFormatException($"{path} is truncated. Copy it again or use the previous generation.");
            }

            bytes = bytes[got..];
            offset += got;
        }
    }

    private delegate T RecordReader<T>(ReadOnlySpan<byte> record);

    private static T[] ReadRecords<T>(byte[] bytes, int recordBytes, RecordReader<T> read)
    {
        var records = new T[bytes.Length / recordBytes];
        for (int index = 0; index < records.Length; index++)
        {
            records[index] = read(bytes.AsSpan(index * recordBytes, recordBytes));
        }

        return records;
    }

    private void Check()
    {
        const ulong PageMask = 4095;
        ulong end = 0;
        foreach (ImageVma vma in Vmas)
        {
            if (vma.Start < end || vma.End <= vma.Start || ((vma.Start | vma.End) & PageMask) != 0
                || vma.Kind is < VmaKind.Anonymous or > VmaKind.VvarClock)
            {
                throw new ImageFormatException($"{Path} is damaged: its list of mappings makes no sense at 0x{vma.Start:x}.");
            }

            end = vma.End;
        }

        foreach (ImageExtent extent in Extents)
        {
            if (extent.Bytes == 0 || extent.Bytes > ImageLayout.LongestExtentBytes || extent.StoredBytes > ImageLayout.LongestExtentBytes * 2
                || extent.FileOffset > Header.FileBytes || extent.StoredBytes > Header.FileBytes - extent.FileOffset
                || ((extent.Address | (extent.Codec == 0 ? extent.FileOffset : 0) | extent.Bytes) & PageMask) != 0)
            {
                throw new ImageFormatException($"{Path} is damaged: its list of extents makes no sense at 0x{extent.Address:x}.");
            }
        }

        if (Manifest.Pid != Header.Pid)
        {
            throw new ImageFormatException($"{Path} is damaged: its manifest does not belong to its header.");
        }
    }
}
