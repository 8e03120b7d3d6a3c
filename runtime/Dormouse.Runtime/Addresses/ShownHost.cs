// World: Frozen (note), restored process.
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;

namespace Dormouse.Runtime.Addresses;

/// <summary>The host that the program takes for its own: where it began, wherever it lives now.</summary>
/// <param name="Id">Tells the hosts of a computation apart.</param>
/// <param name="Names">The first one is that of gethostname(2), then those that /etc/hosts had for its addresses.</param>
/// <param name="Addresses">Those that other hosts could know it by.</param>
internal sealed record ShownHost(string Id, string[] Names, InternetAddress[] Addresses)
{
    private const int MostNames = 8;

    /// <summary>As noted at the last checkpoint; it lies in the image.</summary>
    public static ShownHost? Noted { get; private set; }

    /// <summary>At a checkpoint: looks at the host, unless the program shows another one.</summary>
    public static void Note() => Noted = AddressTable.ReadOwnHost() ?? Look();

    private static ShownHost Look()
    {
        List<InterfaceAddress> interfaces = InterfaceAddress.ReadAll();
        InternetAddress[] addresses = new InternetAddress[interfaces.Count];
        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = interfaces[i].Address;
        }

        var names = new List<string> { HostIdentity.Name };
        AddAliases(names, addresses);
        return new ShownHost(HostIdentity.Network, names.ToArray(), addresses);
    }

    // hosts(5): an address, then its names; # begins a comment.
    private static void AddAliases(List<string> names, InternetAddress[] addresses)
    {
        foreach (string line in ProcFile.ReadText("/etc/hosts").Split('\n'))
        {
            int comment = line.IndexOf('#', StringComparison.Ordinal);
            string[] words = (comment < 0 ? line : line[..comment]).Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            byte[] address = words.Length < 2 ? [] : new Coordination.CoordinatorAddress(words[0], 0, []).SocketAddress();
            if (address.Length == 0 || Array.IndexOf(addresses, InternetAddress.Of(address)) < 0)
            {
                continue;
            }

            foreach (string name in words.AsSpan(1))
            {
                if (names.Count < MostNames && !names.Contains(name) && KernelText.ToBytes(name).Length < AddressTable.NameBytes)
                {
                    names.Add(name);
                }
            }
        }
    }
}
