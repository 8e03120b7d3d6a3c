using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Dormouse.Launcher.Ssh;

/// <summary>Addresses of this host that others may reach.</summary>
internal static class HostAddresses
{
    /// <summary>All but loopback and link-local ones; <paramref name="preferred"/> comes first when it is among them.</summary>
    /// <param name="preferred">Ours as the other host sees it, or something else: behind a gateway it is the gateway's.</param>
    public static IReadOnlyList<IPAddress> All(IPAddress? preferred)
    {
        List<IPAddress> all = [];
        foreach (NetworkInterface network in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (UnicastIPAddressInformation information in network.GetIPProperties().UnicastAddresses)
            {
                IPAddress address = information.Address;
                if (IPAddress.IsLoopback(address) && !address.Equals(preferred)) continue;
                if (!address.IsIPv6LinkLocal) all.Add(address);
            }
        }

        // IPv4 first: it is what most clusters route everywhere.
        return [.. all.Distinct().OrderByDescending(address => address.Equals(preferred)).ThenBy(address => address.AddressFamily != AddressFamily.InterNetwork)];
    }

    public static bool IsOurs(IPAddress address) => IPAddress.IsLoopback(address) || All(null).Contains(address);
}
