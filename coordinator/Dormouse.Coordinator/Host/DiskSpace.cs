using Dormouse.Coordinator.State;

namespace Dormouse.Coordinator.Host;

/// <summary>
/// Asks before anything is stopped whether all images of this host fit on the disk. Each process asks for itself, too (members of other
/// hosts, whose memory cannot be seen from here), but only all together know that there is not enough for all.
/// </summary>
internal static class DiskSpace
{
    private const ulong OtherBytesPerImage = 1 << 20;

    /// <returns>A sentence that says why not; null: nothing speaks against it.</returns>
    public static string? Problem(string directory, IReadOnlyDictionary<Member, ProcessStatus> local)
    {
        ulong needed = 0;
        foreach (ProcessStatus status in local.Values) needed += status.AnonymousBytes + OtherBytesPerImage;
        if (local.Count < 2 || Free(directory) is not { } free || free >= needed) return null;
        return $"{directory} has {free >> 20} MiB free but the images of {local.Count} processes need about {(needed >> 20) + 1} MiB. Make room or choose another directory with --ckptdir.";
    }

    private static ulong? Free(string directory)
    {
        try
        {
            return (ulong)new DriveInfo(directory).AvailableFreeSpace;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // It is made by the first member, or lies on another host.
            return null;
        }
    }
}
