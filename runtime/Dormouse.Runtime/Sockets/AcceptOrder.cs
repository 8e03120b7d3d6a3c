namespace Dormouse.Runtime.Sockets;

/// <summary>
/// In what order a restart has made the connections that wait to be accepted. The kernel tells the time of a handshake only to the
/// tick (4 or 10 ms), and a restart makes many within one.
/// </summary>
internal static class AcceptOrder
{
    private static readonly Dictionary<ResourceKey, int> s_places = [];

    /// <summary>The next of all that were made.</summary>
    /// <param name="client">Name of the client's end.</param>
    /// <param name="server">Name of the end that waits.</param>
    public static void Add(byte[] client, byte[] server) => s_places[TcpAddress.KeyOf(client, server)] = s_places.Count;

    /// <summary>Smaller is earlier; those that came after the restart are last.</summary>
    public static int PlaceOf(InetDiagnosis waiting) => s_places.GetValueOrDefault(TcpAddress.KeyOf(waiting.Peer, waiting.Local), int.MaxValue);

    /// <summary>At the beginning of a restart.</summary>
    public static void Forget() => s_places.Clear();
}
