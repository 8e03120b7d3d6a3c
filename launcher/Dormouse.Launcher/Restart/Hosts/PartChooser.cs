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
        CatalogImage[] wanted = [.. images.Where(image => image.Generation == newest).DistinctBy(image => image.Member)];
        IReadOnlyList<OriginalHost> hosts = OriginalHost.Of(wanted);
        foreach (string name in options.OnlyHosts)
        {
            if (!hosts.Any(host => host.Name == name)) throw new RestartException($"There is no image of host {name}; these are of {HostPlacement.Names(hosts.Select(host => host.Name))}.");
        }

        CatalogImage[] chosen =
        [
            .. hosts.Where(host => options.OnlyHosts.Count == 0 || options.OnlyHosts.Contains(host.Name)).SelectMany(host => host.Images)
                .OrderBy(image => image.Member),
        ];
        return new Generation(chosen[0].Computation, newest, chosen[0].ImageCount, [.. chosen.Select(image => image.Path)]);
    }
}
