using Dormouse.Coordinator.State;

namespace Dormouse.Coordinator.Host;

/// <summary>
/// Asks before anything is stopped whether all images of this host fit on the disk. Each process asks for itself, too (members of other
/// hosts and of pods, whose memory cannot be seen from here), but only all together know that there is not enough for all.
/// </summary>
internal static class DiskSpace
{
    private const ulong OtherBytesPerImage = 1 << 20;

    /// <returns>A sentence that says why not; null: nothing speaks against it.</returns>
    public static string? Problem(string directory, IEnumerable<Member> members)
    {
        ulong needed = 0;
        int count = 0;
        foreach (Member member in members)
        {
            if (member.Hello.HostId != OwnHost.Id) continue;
            needed += LocalProcess.AnonymousMemoryBytes(member.Hello.Pid) + OtherBytesPerImage;
            count++;
        }

        if (count < 2 || Free(directory) is not { } free || free >= needed) return null;
        return $"{directory} has {free >> 20} MiB free but the images of {count} processes need about {(needed >> 20) + 1} MiB. Make room or choose another directory with --ckptdir.";
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
