using Dormouse.Coordinator.Host;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Generations;

/// <summary>Renames and unlinks images that lie on the coordinator's own host, when no member is left to do it.</summary>
internal static class ImageFiles
{
    /// <summary>Does the renames of <see cref="CommitImages"/>, also when some of them were done before.</summary>
    /// <exception cref="IOException">A rename that must be done cannot be done.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Rename(IEnumerable<ImageRename> renames)
    {
        HashSet<string> directories = [];
        foreach (ImageRename rename in renames)
        {
            if (rename.Optional && (!File.Exists(rename.From) || File.Exists(rename.To))) continue;
            if (!File.Exists(rename.From) && File.Exists(rename.To)) continue;
            string directory = Path.GetDirectoryName(rename.To) ?? "/";
            Directory.CreateDirectory(directory);
            File.Move(rename.From, rename.To, overwrite: !rename.Optional);
            directories.Add(directory);
            directories.Add(Path.GetDirectoryName(rename.From) ?? "/");
        }

        foreach (string directory in directories) DirectorySync.Sync(directory);
    }

    /// <summary>Unlinks one image, and its directory when that is an archive and empty now. That it fails does not matter.</summary>
    public static void Delete(string path)
    {
        try
        {
            File.Delete(path);
            string? directory = Path.GetDirectoryName(path);
            if (directory is not null && Path.GetFileName(directory).StartsWith("generation-", StringComparison.Ordinal)
                && !Directory.EnumerateFileSystemEntries(directory).Any())
            {
                Directory.Delete(directory);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It stays, as an older generation that nobody counts.
        }
    }
}
