using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dormouse.Coordinator.Network;

/// <summary>
/// "Any port" for a listener that may have to come back under the same number. Those that the kernel gives to connections are left
/// alone (ip_local_port_range, ip(7)): while nobody listens, another connection could get the number, or one that looks
/// for the listener could get it itself and be connected to itself.
/// </summary>
internal static class LastingPort
{
    private const int Lowest = 10000, Attempts = 64, KernelsOwnLowest = 32768;

    /// <summary>Calls <paramref name="open"/> with ports until one is free; with 0, the kernel's choice, when none of many is.</summary>
    public static void Open(Action<int> open)
    {
        int end = FirstOfConnections();
        for (int attempt = 0; attempt < Attempts && end > Lowest; attempt++)
        {
            try
            {
                open(Random.Shared.Next(Lowest, end));
                return;
            }
            catch (SocketException problem) when (problem.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one, perhaps.
            }
        }

        open(IPEndPoint.MinPort);
    }

    private static int FirstOfConnections()
    {
        try
        {
            string range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range");
            return int.Parse(range.AsSpan(0, range.IndexOf('\t', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            return KernelsOwnLowest;
        }
    }
}
