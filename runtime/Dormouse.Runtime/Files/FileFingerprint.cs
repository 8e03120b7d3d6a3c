// World: Frozen (of), restored process (of).
using System;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>
/// Tells whether the body of a growing file is still what it was, when it is too large to be in the image: a checksum of the whole, or
/// for large ones of the beginning (where formats keep what they change later), the end, and samples in between.
/// </summary>
internal readonly record struct FileFingerprint(uint Checksum)
{
    private const long WholeBytes = 16 << 20;
    private const int EdgeBytes = 1 << 20;
    private const int SampleBytes = 16 << 10;
    private const int Samples = 64;

    /// <summary>Of the first <paramref name="sizeBytes"/> bytes; null when they cannot be read.</summary>
    /// <param name="fd">Open for reading.</param>
    /// <param name="sizeBytes">Length at the checkpoint.</param>
    public static FileFingerprint? Of(int fd, long sizeBytes)
    {
        byte[] buffer = new byte[EdgeBytes];
        uint state = ~0u;
        bool isGood;
        if (sizeBytes <= WholeBytes)
        {
            isGood = Add(fd, buffer, 0, sizeBytes, ref state);
        }
        else
        {
            isGood = Add(fd, buffer, 0, EdgeBytes, ref state);
            for (int i = 1; i <= Samples && isGood; i++)
            {
                isGood = Add(fd, buffer, sizeBytes / (Samples + 2) * i, SampleBytes, ref state);
            }

            isGood = isGood && Add(fd, buffer, sizeBytes - EdgeBytes, EdgeBytes, ref state);
        }

        return isGood ? new FileFingerprint(~state) : null;
    }

    private static bool Add(int fd, byte[] buffer, long offset, long bytes, ref uint state)
    {
        for (long end = offset + bytes; offset < end;)
        {
            int wanted = (int)Math.Min(buffer.Length, end - offset);
            long got = Kernel.ReadAt(fd, buffer.AsSpan(0, wanted), offset);
            if (got <= 0)
            {
                return false;
            }

            state = Crc32C.Append(state, buffer.AsSpan(0, (int)got));
            offset += got;
        }

        return true;
    }
}
