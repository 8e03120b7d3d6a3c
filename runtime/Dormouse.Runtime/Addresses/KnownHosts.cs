// World: restored process.
namespace Dormouse.Runtime.Addresses;

/// <summary>One address in two ways: struct dm_known_address of native-shim/src/old_addresses.h.</summary>
internal readonly record struct KnownAddress(InternetAddress Shown, InternetAddress Now, uint Host, bool IsToShown);

/// <summary>The ports that connections of a host come from: struct dm_port_range.</summary>
internal readonly record struct PortRange(uint Host, ushort First, ushort Last);

/// <summary>A name that a host had: struct dm_known_name.</summary>
internal readonly record struct KnownName(uint Host, string Name);

/// <summary>All hosts of the computation, as they were and as they are. Every member that has the same reports comes to the same result.</summary>
internal sealed class KnownHosts
{
    private readonly HostReport[] _reports;
    private readonly uint _own;

    /// <param name="reports">Of all members.</param>
    /// <param name="own">That of this one.</param>
    public KnownHosts(IEnumerable<HostReport> reports, HostReport own)
    {
        var all = new List<HostReport>(reports);
        all.Sort((a, b) => a.Key.Low.CompareTo(b.Key.Low));
        var merged = new Dictionary<string, HostReport>();
        foreach (HostReport report in all)
        {
            merged[report.Order] = merged.TryGetValue(report.Order, out HostReport? other) ? other.With(report) : report;
        }

        _reports = new HostReport[merged.Count];
        merged.Values.CopyTo(_reports, 0);
        Array.Sort(_reports, (a, b) => string.CompareOrdinal(a.Order, b.Order));
        _own = (uint)Array.FindIndex(_reports, one => one.Order == own.Order);
    }

    public uint Own => _own;

    public HostReport OwnReport => _reports[_own];

    /// <summary>Whether any program could notice anything.</summary>
    public bool HaveMoved => Array.Exists(_reports, one => one.HasMoved || IsShared(one));

    /// <summary>The same for the programs of the own host: on it they would not find what they know of it.</summary>
    public bool HasOwnMoved => OwnReport.HasMoved || ShareOwnPlace;

    /// <summary>Several hosts have become the one that this process lives on.</summary>
    public bool ShareOwnPlace => IsShared(OwnReport);

    public bool AreTogether(uint host, uint other) => _reports[host].PlaceId == _reports[other].PlaceId;

    /// <summary>Those of the own host first: of addresses that every host has for itself, that one is meant.</summary>
    public List<KnownAddress> Addresses()
    {
        var known = new List<KnownAddress>();
        var forward = new HashSet<InternetAddress>();
        foreach (uint host in OwnFirst())
        {
            HostReport report = _reports[host];
            foreach (InternetAddress shown in report.Shown.Addresses)
            {
                if (Choose(report, shown) is { } now && forward.Add(shown))
                {
                    known.Add(new KnownAddress(shown, now, host, false));
                }
            }

            foreach (InterfaceAddress now in report.Place)
            {
                if (ShownFor(report, now.Address) is { } shown)
                {
                    known.Add(new KnownAddress(shown, now.Address, host, true));
                }
            }
        }

        return known;
    }

    public List<KnownName> Names()
    {
        var names = new List<KnownName>();
        foreach (uint host in OwnFirst())
        {
            if (!_reports[host].HasMoved)
            {
                continue;
            }

            foreach (string name in _reports[host].Shown.Names)
            {
                if (name != "localhost")
                {
                    names.Add(new KnownName(host, name));
                }
            }
        }

        return names;
    }

    /// <summary>Hosts that share one place take equal parts of the ports that its kernel chooses from.</summary>
    public List<PortRange> Ranges()
    {
        var ranges = new List<PortRange>();
        for (uint host = 0; host < _reports.Length; host++)
        {
            HostReport report = _reports[host];
            int sharers = Array.FindAll(_reports, one => one.PlaceId == report.PlaceId).Length;
            int before = Array.FindAll(_reports[..(int)host], one => one.PlaceId == report.PlaceId).Length;
            int part = (report.LastPort - report.FirstPort + 1) / sharers, first = report.FirstPort + (before * part);
            if (sharers > 1 && part > 0)
            {
                ranges.Add(new PortRange(host, (ushort)first, (ushort)(first + part - 1)));
            }
        }

        return ranges;
    }

    private bool IsShared(HostReport report) => Array.FindAll(_reports, one => one.PlaceId == report.PlaceId).Length > 1;

    private IEnumerable<uint> OwnFirst()
    {
        yield return _own;
        for (uint host = 0; host < _reports.Length; host++)
        {
            if (host != _own)
            {
                yield return host;
            }
        }
    }

    // The same one, if it is there, too; one in the same network; else where the other hosts of the computation come from.
    private InternetAddress? Choose(HostReport report, InternetAddress shown)
    {
        InternetAddress reached = Reached(report);
        int interfaceOfReached = Array.Find(report.Place, one => one.Address == reached).Interface;
        return Find(report, one => one.Address == shown)
            ?? Find(report, one => one.Address == reached && one.Address.IsBeside(shown, one.Prefix))
            ?? Find(report, one => one.Address.IsBeside(shown, one.Prefix))
            ?? Find(report, one => one.Address == reached && one.Address.IsV4 == shown.IsV4)
            ?? Find(report, one => one.Interface == interfaceOfReached && one.Address.IsV4 == shown.IsV4)
            ?? Find(report, one => one.Address.IsV4 == shown.IsV4)
            ?? (reached.IsV4 || !shown.IsV4 ? reached : null);
    }

    // Members on the coordinator's host reach it by a loopback address; those elsewhere know it by another one.
    private InternetAddress Reached(HostReport report)
    {
        if (!report.Here.IsLoopback)
        {
            return report.Here;
        }

        foreach (HostReport other in _reports)
        {
            if (!other.Coordinator.IsLoopback)
            {
                return other.Coordinator;
            }
        }

        return report.Place.Length > 0 ? report.Place[0].Address : report.Here;
    }

    private InternetAddress? ShownFor(HostReport report, InternetAddress now)
    {
        InternetAddress? sameFamily = null;
        foreach (InternetAddress shown in report.Shown.Addresses)
        {
            if (Choose(report, shown) == now)
            {
                return shown;
            }

            sameFamily ??= shown.IsV4 == now.IsV4 ? shown : null;
        }

        return sameFamily;
    }

    private static InternetAddress? Find(HostReport report, Predicate<InterfaceAddress> isWanted)
    {
        int index = Array.FindIndex(report.Place, isWanted);
        return index < 0 ? null : report.Place[index].Address;
    }
}
