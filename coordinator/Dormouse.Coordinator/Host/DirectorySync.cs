using System.Runtime.InteropServices;

namespace Dormouse.Coordinator.Host;

/// <summary>Makes renames in a directory last through a power cut; .NET has no call for that. See fsync(2).</summary>
internal static partial class DirectorySync
{
    private const int O_DIRECTORY = 0x10000;
    private const int O_CLOEXEC = 0x80000;

    /// <summary>Does its best: some file systems refuse to sync a directory, and nothing can be done about that.</summary>
    public static void Sync(string directory)
    {
        int fd = open(directory, O_DIRECTORY | O_CLOEXEC, 0);
        if (fd < 0) return;
        _ = fsync(fd);
        _ = close(fd);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc")]
    private static partial int fsync(int fd);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
