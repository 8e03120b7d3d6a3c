// World: Frozen (map, release), restored process (release).
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Files;

/// <summary>
/// Memory that carries bytes into the image and out of it: ordinary private memory of the process, mapped before the image is written
/// and unmapped after. Managed memory would stay with the program for good, and with every later image.
/// </summary>
internal static class CapturedMemory
{
    private static readonly List<Scratch> s_pieces = [];

    public static IReadOnlyList<Scratch> Pieces => s_pieces;

    /// <exception cref="CheckpointException">The kernel has no memory for us.</exception>
    public static Scratch Map(ulong bytes)
    {
        Scratch piece = Scratch.Map(bytes);
        s_pieces.Add(piece);
        return piece;
    }

    /// <summary>When the image is written, when it will not be, and when a restored process has used it.</summary>
    public static void Release()
    {
        foreach (Scratch piece in s_pieces)
        {
            piece.Unmap();
        }

        s_pieces.Clear();
    }
}
