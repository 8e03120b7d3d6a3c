using Dormouse.Coordinator.Host;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>
/// A computation that still runs must not be woken beside itself: both would write to the same files, and the files of the one that
/// runs would be rolled back under it.
/// </summary>
internal static class StillRunning
{
    /// <summary>Who was killed a moment ago may take its time.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <exception cref="RestartException">One of the processes lives, on this host.</exception>
    public static void Refuse(IReadOnlyList<ImageFile> images)
    {
        long deadline = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        foreach (ImageFile image in images)
        {
            while (image.Manifest.HostId == OwnHost.Id && IsAlive(image.Manifest))
            {
                if (Environment.TickCount64 > deadline)
                {
                    throw new RestartException(
                        $"{image.Manifest.Program} (pid {image.Manifest.Pid}) is still running, and both would write to the same files. End it first, such as with dmcommand --kill, and run dmrestart again.");
                }

                Thread.Sleep(20);
            }
        }
    }

    // A process that is ending has no executable any more.
    private static bool IsAlive(ImageManifest manifest)
    {
        try
        {
            string process = $"/proc/{manifest.Pid}";
            return File.ReadAllText(process + "/comm").TrimEnd('\n') == manifest.Program
                && File.ResolveLinkTarget(process + "/exe", returnFinalTarget: false)?.FullName == manifest.ExePath
                && File.ReadAllText(process + "/environ").Contains("DORMOUSE_TOKEN=", StringComparison.Ordinal);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
