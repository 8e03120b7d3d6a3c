using Dormouse.Protocol;

namespace Dormouse.Coordinator.Generations;

/// <summary>
/// Images under their temporary names, on the coordinator's own host. A member unlinks its own when a checkpoint is given up; one that
/// was killed cannot. When no checkpoint is under way, whatever is left of a computation is nobody's.
/// </summary>
internal static class TemporaryImages
{
    public static void Delete(string directory, ulong computation)
    {
        try
        {
            string pattern = ImageNames.Temporary($"ckpt_*_{ImageNames.Digits(computation)}-*.img", 0)[..^1] + "*";
            foreach (string left in Directory.GetFiles(directory, pattern)) File.Delete(left);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The directory is another host's, or not ours to clear up.
        }
    }
}
