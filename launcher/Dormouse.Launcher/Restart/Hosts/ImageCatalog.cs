using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>
/// All images that this host sees where the user says that they are. Each host looks for itself: a shell has expanded ckpt_*.img on
/// one host only, and where images were copied each host has others.
/// </summary>
internal static class ImageCatalog
{
    /// <param name="arguments">Absolute paths of images and directories, which need not exist here.</param>
    /// <exception cref="ImageFormatException">A file that was named is no whole image.</exception>
    public static IReadOnlyList<CatalogImage> Look(IEnumerable<string> arguments)
    {
        SortedDictionary<string, CatalogImage> found = new(StringComparer.Ordinal);
        SortedSet<string> neighbourhoods = new(StringComparer.Ordinal);
        foreach (string argument in arguments)
        {
            if (Directory.Exists(argument))
            {
                foreach (string image in ImagesIn(argument)) found.TryAdd(image, CatalogImage.Read(image, isGiven: true));
                neighbourhoods.Add(argument);
            }
            else
            {
                if (File.Exists(argument)) found.TryAdd(argument, CatalogImage.Read(argument, isGiven: true));
                if (Path.GetDirectoryName(argument) is { } directory) neighbourhoods.Add(directory);
            }
        }

        foreach (string neighbourhood in neighbourhoods)
        {
            foreach (string directory in ArchivesIn(neighbourhood).Prepend(neighbourhood))
            {
                foreach (string image in ImagesIn(directory)) AddNeighbour(found, image);
            }
        }

        return [.. found.Values];
    }

    /// <summary>What lies beside counts when it is whole.</summary>
    private static void AddNeighbour(SortedDictionary<string, CatalogImage> found, string image)
    {
        if (found.ContainsKey(image)) return;
        try
        {
            found.Add(image, CatalogImage.Read(image, isGiven: false));
        }
        catch (Exception problem) when (problem is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            // Somebody else's, or damaged: should it be needed, it is missing.
        }
    }

    private static string[] ImagesIn(string directory) => Entries(() => Directory.GetFiles(directory, "ckpt_*.img"));

    private static string[] ArchivesIn(string directory) => Entries(() => Directory.GetDirectories(directory, "generation-*"));

    private static string[] Entries(Func<string[]> list)
    {
        try
        {
            string[] entries = list();
            Array.Sort(entries, StringComparer.Ordinal);
            return entries;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
