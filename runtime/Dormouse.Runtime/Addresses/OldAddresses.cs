// World: Frozen (translate), restored process.
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Addresses;

/// <summary>
/// Where the hosts of the computation are now, whose addresses the programs go on using: docs/decisions/0019. At a restart every member
/// says which host it shows and where it woke; when all know all, each makes the same table for the wrappers of native-shim.
/// </summary>
internal static unsafe class OldAddresses
{
    // Of shown sockets a program that is executed can have but a few.
    private const int MostInheritedSockets = 64;
    private static readonly Dictionary<ResourceKey, HostReport> s_reports = [];
    private static readonly Dictionary<ResourceKey, KnownPort> s_ports = [];
    private static readonly List<KnownPort> s_news = [];
    private static KnownHosts? s_hosts;
    private static int s_moved;
    private static string s_firstMoved = "";

    /// <summary>Whether a port may become another one: hosts have moved, and clients elsewhere find nobody where they look, anyway.</summary>
    public static bool AreUsed => s_hosts is { HaveMoved: true };

    /// <summary>Whether a port can become another one at all: the image knows which host the program shows.</summary>
    public static bool CanMovePorts => s_hosts is not null;

    /// <summary>At the beginning of a restart, when another set of hosts is to be known.</summary>
    public static void Forget()
    {
        s_reports.Clear();
        s_ports.Clear();
        s_news.Clear();
        s_hosts = null;
        s_moved = 0;
        AddressTable.Set(null);
    }

    /// <summary>Says where this process is. All know all when the next barrier is released.</summary>
    public static void AnnounceHost(Link link, uint epoch)
    {
        if (ShownHost.Noted is { } shown)
        {
            HostReport report = HostReport.Of(shown, link);
            s_reports[report.Key] = report;
            link.Send(new Announce(epoch, [new PublishedName(report.Key, report.ToBytes())]));
        }
    }

    /// <summary>Says which ports sockets of this process have, or want.</summary>
    public static void AnnouncePorts(Link link, uint epoch)
    {
        if (s_news.Count > 0)
        {
            link.Send(new Announce(epoch, s_news.ConvertAll(port => new PublishedName(port.Key, port.ToBytes())).ToArray()));
            s_news.Clear();
        }
    }

    /// <summary>What the coordinator tells before it releases a barrier.</summary>
    public static void Learn(Announced announced)
    {
        foreach (PublishedName name in announced.Names)
        {
            if (name.Key.High == ObjectKeys.Hash("host"))
            {
                s_reports[name.Key] = HostReport.Read(name.Value);
            }
            else
            {
                s_ports[name.Key] = KnownPort.Read(name.Value);
            }
        }
    }

    /// <summary>Translates from now on, when there is anything to translate.</summary>
    /// <param name="sockets">Whose names cannot be told from their addresses.</param>
    public static void Use(params ReadOnlySpan<ShownName> sockets)
    {
        if (s_hosts is null && ShownHost.Noted is { } shown && s_reports.Count > 0)
        {
            s_hosts = new KnownHosts(s_reports.Values, OwnReport(shown));
        }

        KnownHosts? hosts = AreUsed || s_ports.Count > 0 ? s_hosts : null;
        byte[]? table = hosts is null && sockets.Length == 0 ? null : AddressTable.Build(hosts, s_ports.Values, sockets);
        bool areMany = sockets.Length > MostInheritedSockets;
        AddressTable.Set(table, areMany ? AddressTable.Build(hosts, s_ports.Values, sockets[..MostInheritedSockets]) : null);
    }

    /// <summary>struct sockaddr of where that is now; the same when it is there still. <paramref name="protocol"/> 0: the port stays.</summary>
    public static byte[] ToNow(byte[] shown, int protocol = 0)
    {
        byte[] address = shown.AsSpan().ToArray();
        fixed (byte* at = address)
        {
            Shim.AddressToNow(at, (ulong)address.Length, protocol);
        }

        return address;
    }

    /// <summary>What the program takes that address for.</summary>
    public static byte[] ToShown(byte[] now, int protocol, bool isOwn)
    {
        if (Shim.Addresses() == null)
        {
            return now;
        }

        byte[] address = now.AsSpan().ToArray();
        fixed (byte* at = address)
        {
            Shim.AddressToShown(at, (ulong)address.Length, protocol, isOwn ? 1 : 0);
        }

        return address;
    }

    /// <summary>Hosts that share a place tell each other which ports they have: each can be had by one of them.</summary>
    public static void Claim(int protocol, byte[] shown)
    {
        if (s_hosts is { ShareOwnPlace: true })
        {
            s_news.Add(PortOf(s_hosts, protocol, shown, ToNow(shown)));
        }
    }

    /// <summary>Whether a host that comes before ours has that port.</summary>
    public static bool IsTaken(int protocol, byte[] shown)
    {
        if (s_hosts is not { ShareOwnPlace: true } hosts)
        {
            return false;
        }

        KnownPort own = PortOf(hosts, protocol, shown, ToNow(shown));
        foreach (KnownPort other in s_ports.Values)
        {
            if (other.Host < hosts.Own && hosts.AreTogether(other.Host, hosts.Own) && other.Excludes(own))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the program has bound to <paramref name="shown"/> is at another port now.</summary>
    public static void Moved(int protocol, byte[] shown, byte[] now)
    {
        if (s_moved++ == 0)
        {
            s_firstMoved = $"{SocketName.Text(shown)} is at port {TcpAddress.PortOf(now)}";
        }

        s_news.Add(PortOf(s_hosts!, protocol, shown, now));
    }

    /// <summary>Who accepts a connection from <paramref name="now"/> must see the client's old port. Nobody else looks for it there.</summary>
    public static void ClientMoved(int protocol, byte[] shown, byte[] now)
    {
        if (s_hosts is not null)
        {
            s_news.Add(PortOf(s_hosts, protocol, shown, now));
        }
    }

    /// <summary>Says which ports are not what they were: once for a process.</summary>
    public static void WarnOfPorts()
    {
        if (s_moved > 0)
        {
            string ports = s_moved == 1 ? "1 port is in use on this host, or was" : $"{s_moved} ports are in use on this host, or were";
            RestartStdio.WarnOfProcess($"{ports} until just now, and had to change: {s_firstMoved}{(s_moved > 1 ? ", for one" : "")}. This computation finds what has changed; other clients do not");
        }
    }

    private static KnownPort PortOf(KnownHosts hosts, int protocol, byte[] shown, byte[] now) => new(
        hosts.Own, (ushort)protocol, InternetAddress.Of(shown), (ushort)TcpAddress.PortOf(shown), InternetAddress.Of(now), (ushort)TcpAddress.PortOf(now));

    private static HostReport OwnReport(ShownHost shown)
    {
        string place = Process.HostIdentity.Network;
        foreach (HostReport report in s_reports.Values)
        {
            if (report.Shown.Id == shown.Id && report.PlaceId == place)
            {
                return report;
            }
        }

        throw new InvalidOperationException("this host is not among those announced");
    }
}
