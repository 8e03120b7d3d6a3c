namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>What has been on one host from the beginning, and stays together: its processes share PIDs and memory.</summary>
/// <param name="Name">Of the host where it slept; where several slept on one, of the host where it began.</param>
/// <param name="Images">Ascending by member.</param>
internal sealed record OriginalHost(string Name, IReadOnlyList<CatalogImage> Images)
{
    /// <param name="images">Each member once.</param>
    /// <returns>In the order of their first members.</returns>
    public static IReadOnlyList<OriginalHost> Of(IEnumerable<CatalogImage> images)
    {
        CatalogImage[][] hosts = [.. images.OrderBy(image => image.Member).GroupBy(image => image.HostId).Select(host => host.ToArray())];
        return [.. hosts.Select(host => new OriginalHost(NameOf(host[0]), host))];

        string NameOf(CatalogImage first)
            => first.FirstHostName.Length > 0 && hosts.Count(other => other[0].HostName == first.HostName) > 1 ? first.FirstHostName : first.HostName;
    }
}
