namespace Dormouse.Protocol.Image;

/// <summary>Sizes and numbers of the image file: native-shim/include/dm_image.h in C#. A test compares the two.</summary>
public static class ImageLayout
{
    /// <summary>The version that this code reads.</summary>
    public const uint Version = 1;

    /// <summary>EM_X86_64 of elf(5).</summary>
    public const uint MachineX64 = 62;

    /// <summary>Bytes of the header page.</summary>
    public const int HeaderBytes = 4096;

    /// <summary>sizeof(struct dm_image_vma).</summary>
    public const int VmaBytes = 64;

    /// <summary>sizeof(struct dm_image_thread).</summary>
    public const int ThreadBytes = 24;

    /// <summary>sizeof(struct dm_image_extent).</summary>
    public const int ExtentBytes = 32;

    /// <summary>A string offset that means "none".</summary>
    public const uint NoPath = uint.MaxValue;

    /// <summary>The most words that the auxiliary vector may have.</summary>
    public const int AuxvWords = 64;

    /// <summary>The most memory that one extent holds.</summary>
    public const uint LongestExtentBytes = 4u << 20;

    /// <summary>The first bytes of every image.</summary>
    public static ReadOnlySpan<byte> Magic => "DORMOUSE"u8;
}
