// World: Frozen.
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>
/// The files that SQLite keeps beside a database and finds by their names only (sqlite.org/tempfiles.html). A journal that is newer than
/// its database would be taken for one that a crash has left, and be played into it: so they come, and go, with the database.
/// </summary>
internal static class DatabaseCompanions
{
    public static readonly string[] Suffixes = ["-journal", "-wal", "-shm"];

    /// <summary>Whether a file begins like a database: sqlite.org/fileformat.html, 1.3.</summary>
    /// <param name="fd">Open for reading.</param>
    public static bool IsDatabase(int fd)
    {
        ReadOnlySpan<byte> magic = "SQLite format 3\0"u8;
        Span<byte> start = stackalloc byte[16];
        return Kernel.ReadAt(fd, start, 0) == magic.Length && start.SequenceEqual(magic);
    }
}
