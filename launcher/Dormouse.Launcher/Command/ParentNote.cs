using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Command;

/// <summary>
/// What is known of the parent of an image's process. An image does not say whether the parent has one, too: only the other images of
/// its generation do, and they may be elsewhere.
/// </summary>
internal static class ParentNote
{
    /// <returns>To be put behind the parent's number; empty when nothing is known.</returns>
    public static string Of(ImageFile image)
    {
        int found = 0;
        foreach (string path in Directory.GetFiles(Path.GetDirectoryName(Path.GetFullPath(image.Path))!, "ckpt_*.img"))
        {
            if (Read(path) is not { } other || other.Computation != image.Manifest.Computation || other.Generation != image.Manifest.Generation) continue;
            found++;
            if (other.Pid == image.Manifest.ParentPid && other.HostId == image.Manifest.HostId) return $" ({other.Program}, number {other.Member})";
        }

        return found == image.Manifest.ImageCount ? " (not in the computation)" : "";
    }

    private static ImageManifest? Read(string path)
    {
        try
        {
            return ImageFile.Open(path).Manifest;
        }
        catch (Exception problem) when (problem is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
