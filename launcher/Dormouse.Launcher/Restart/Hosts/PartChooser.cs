namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>dmrestart --part: which of the images that are given wake here. That the others wake elsewhere, the coordinator sees.</summary>
internal static class PartChooser
{
    /// <exception cref="RestartException">There are none, or of two computations.</exception>
    public static Generation Choose(RestartOptions options)
    {
        CatalogImage[] images = [.. ImageCatalog.Look(options.Images.Select(Path.GetFullPath)).Where(image => image.IsGiven)];
        if (images.Length == 0) throw new RestartException($"There is no image {string.Join(", ", options.Images)}.");
        if (Array.Find(images, image => image.Computation != images[0].Computation) is { } other)
        {
            throw new RestartException(
                $"The images are of two computations, {Generation.NameOf(images[0].Computation)} and {Generation.NameOf(other.Computation)}. Give those of one.");
        }

        uint newest = images.Max(image => image.Generation);
        string[] hosts = [.. images.Select(image => image.HostName).Distinct()];
        foreach (string host in options.OnlyHosts)
        {
            if (!hosts.Contains(host)) throw new RestartException($"There is no image of host {host}; these are of {HostPlacement.Names(hosts)}.");
        }

        CatalogImage[] chosen =
        [
            .. images.Where(image => image.Generation == newest && (options.OnlyHosts.Count == 0 || options.OnlyHosts.Contains(image.HostName)))
                .DistinctBy(image => image.Member).OrderBy(image => image.Member),
        ];
        return chosen.Length > 0
            ? new Generation(chosen[0].Computation, newest, chosen[0].ImageCount, [.. chosen.Select(image => image.Path)])
            : throw new RestartException($"Generation {newest} has no image of {HostPlacement.Names(options.OnlyHosts)} here.");
    }
}
