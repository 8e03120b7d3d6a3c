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
    private const ulong RoomBytes = 1 << 20;
    private static readonly List<Scratch> s_pieces = [];
    private static ulong s_room;
    private static ulong s_roomEnd;

    public static IReadOnlyList<Scratch> Pieces => s_pieces;

    /// <exception cref="CheckpointException">The kernel has no memory for us.</exception>
    public static Scratch Map(ulong bytes)
    {
        Scratch piece = Scratch.Map(bytes);
        s_pieces.Add(piece);
        return piece;
    }

    /// <summary>Where at least <paramref name="bytes"/> have room, for data of unknown length. <see cref="Take"/> says what was used.</summary>
    /// <exception cref="CheckpointException">The kernel has no memory for us.</exception>
    public static CapturedBytes Room(int bytes)
    {
        if (s_roomEnd - s_room < (ulong)bytes)
        {
            Scratch piece = Map(Math.Max((ulong)bytes, RoomBytes));
            (s_room, s_roomEnd) = (piece.Start, piece.Start + piece.Bytes);
        }

        return new CapturedBytes(s_room, bytes);
    }

    /// <summary>Keeps the first bytes of the <see cref="Room"/> given last.</summary>
    public static CapturedBytes Take(int bytes)
    {
        var taken = new CapturedBytes(s_room, bytes);
        s_room += (ulong)bytes;
        return taken;
    }

    /// <summary>When the image is written, when it will not be, and when a restored process has used it.</summary>
    public static void Release()
    {
        foreach (Scratch piece in s_pieces)
        {
            piece.Unmap();
        }

        s_pieces.Clear();
        (s_room, s_roomEnd) = (0, 0);
    }
}
