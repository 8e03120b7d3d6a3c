namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>What wakes on one host.</summary>
internal sealed record HostShare(string Target, IReadOnlyList<CatalogImage> Images);

/// <summary>
/// Decides which generation wakes, and where each original host's processes go. All processes of an original host stay together
/// (<see cref="OriginalHost"/>). Unless a map says otherwise a host keeps its place when it is among the targets; the others
/// go where the fewest processes are, in the order in which they were given. Only a target that has the images counts.
/// </summary>
internal static class HostPlacement
{
    /// <param name="catalogs">What each target sees.</param>
    /// <param name="note">Called with a sentence when not the newest generation is taken.</param>
    /// <returns>The images of one generation, each member once.</returns>
    /// <exception cref="RestartException">There is no complete one.</exception>
    public static IReadOnlyList<CatalogImage> Choose(IReadOnlyList<HostShare> catalogs, Action<string> note)
    {
        CatalogImage[] all = [.. catalogs.SelectMany(catalog => catalog.Images)];
        CatalogImage[] given = [.. all.Where(image => image.IsGiven)];
        if (given.Length == 0) throw new RestartException($"There is no such image on {Names(catalogs.Select(catalog => catalog.Target))}.");
        ulong computation = given[0].Computation;
        if (Array.Find(given, image => image.Computation != computation) is { } other)
        {
            throw new RestartException(
                $"The images are of two computations, {Generation.NameOf(computation)} and {Generation.NameOf(other.Computation)}. Give those of one.");
        }

        uint newest = given.Max(image => image.Generation);
        foreach (uint number in all.Where(image => image.Computation == computation && image.Generation <= newest).Select(image => image.Generation).Distinct().OrderDescending())
        {
            CatalogImage[] images = Members(all, computation, number);
            if (images.Length != images[0].ImageCount) continue;
            if (number != newest) note($"Generation {newest} is not complete; waking generation {number}.");
            return images;
        }

        CatalogImage[] some = Members(all, computation, newest);
        throw new RestartException(
            $"Generation {newest} of computation {Generation.NameOf(computation)} has {some[0].ImageCount} images and only {some.Length} of them are on {Names(catalogs.Select(catalog => catalog.Target))}, nor is an older one complete. Copy the others there.");
    }

    /// <param name="generation">As chosen.</param>
    /// <param name="catalogs">What each target sees, in the order of the targets.</param>
    /// <param name="map">Original host to target.</param>
    /// <exception cref="RestartException">A host has no place.</exception>
    public static IReadOnlyList<HostShare> Assign(IReadOnlyList<CatalogImage> generation, IReadOnlyList<HostShare> catalogs, IReadOnlyDictionary<string, string> map)
    {
        IReadOnlyList<OriginalHost> hosts = OriginalHost.Of(generation);
        foreach (string original in map.Keys)
        {
            if (!hosts.Any(host => host.Name == original))
                throw new RestartException($"--host-map names {original}, but the computation ran on {Names(hosts.Select(host => host.Name))}.");
        }

        Dictionary<string, List<CatalogImage>> shares = catalogs.ToDictionary(catalog => catalog.Target, _ => new List<CatalogImage>());

        // Those whose place is clear come first, so that the others see how full each target is.
        foreach (OriginalHost host in hosts.OrderBy(host => Wanted(host) is null))
        {
            HostShare? target = Wanted(host) ?? catalogs.Where(catalog => Missing(catalog, host.Images) is null).MinBy(catalog => shares[catalog.Target].Count);
            target ??= catalogs[0];
            if (Missing(target, host.Images) is { } missing)
            {
                string where = catalogs.Count == 1 || map.ContainsKey(host.Name) ? $"not on {target.Target}" : $"together with the others of that host on none of {Names(catalogs.Select(catalog => catalog.Target))}";
                throw new RestartException(
                    $"The image of {missing.Program} (pid {missing.Pid}) of host {host.Name} is {where}. Copy it there, to the directory that was given, or use one that all hosts see.");
            }

            shares[target.Target].AddRange(host.Images.Select(image => On(target, image)!));
        }

        return [.. catalogs.Select(catalog => new HostShare(catalog.Target, shares[catalog.Target]))];

        HostShare? Wanted(OriginalHost host)
        {
            if (map.TryGetValue(host.Name, out string? told)) return catalogs.First(catalog => catalog.Target == told);
            // Of two with one name the first keeps the place.
            return host == hosts.First(other => other.Name == host.Name) ? catalogs.FirstOrDefault(catalog => HostName(catalog.Target) == host.Name) : null;
        }
    }

    /// <summary>Without the user.</summary>
    public static string HostName(string target) => target[(target.LastIndexOf('@') + 1)..];

    public static string Names(IEnumerable<string> names) => string.Join(", ", names);

    private static CatalogImage[] Members(IEnumerable<CatalogImage> all, ulong computation, uint generation)
        => [.. all.Where(image => image.Computation == computation && image.Generation == generation).DistinctBy(image => image.Member).OrderBy(image => image.Member)];

    private static CatalogImage? Missing(HostShare target, IEnumerable<CatalogImage> images) => images.FirstOrDefault(image => On(target, image) is null);

    /// <summary>The same image under its path there; one that the user has named comes before others.</summary>
    private static CatalogImage? On(HostShare target, CatalogImage image)
        => target.Images.Where(candidate => (candidate.Computation, candidate.Generation, candidate.Member) == (image.Computation, image.Generation, image.Member))
            .OrderByDescending(candidate => candidate.IsGiven).FirstOrDefault();
}
