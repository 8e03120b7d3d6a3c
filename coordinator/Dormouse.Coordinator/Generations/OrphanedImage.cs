using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Generations;

/// <summary>An image that was completely written when its process ended. On the coordinator's own host it is synced here.</summary>
internal static class OrphanedImage
{
    /// <returns>False: it cannot be found or synced, or lies on another host.</returns>
    public static bool TryRescue(string directory, uint epoch, Member member)
    {
        if (member.Hello.HostName != OwnHost.Name) return false;
        try
        {
            // The process may have renamed itself since its hello: only number and epoch are certain.
            string pattern = ImageNames.Temporary($"ckpt_*-{member.Id}.img", epoch);
            string[] found = Directory.GetFiles(directory, pattern);
            if (found.Length != 1) return false;
            using FileStream file = new(found[0], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            RandomAccess.FlushToDisk(file.SafeFileHandle);
            string name = Path.GetFileName(found[0]);
            string final = name[1..name.LastIndexOf(".part-", StringComparison.Ordinal)];
            member.Image = new ImageWritten(epoch, found[0], final, (ulong)file.Length, (ulong)file.Length, 0, []);
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
