// World: Frozen, restored process.
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Addresses;

/// <summary>An address of this host that other hosts can know.</summary>
/// <param name="Prefix">Bits of its network, of 128.</param>
/// <param name="Interface">Number of the interface that has it.</param>
internal readonly record struct InterfaceAddress(InternetAddress Address, int Prefix, int Interface)
{
    private const int V4PrefixOffset = 96;

    /// <summary>All of them; loopback and link-local ones mean something else on each host.</summary>
    public static List<InterfaceAddress> ReadAll()
    {
        var all = new List<InterfaceAddress>();
        AddV4(all);
        AddV6(all);
        return all;
    }

    // netdevice(7): an array of struct ifreq, each a name (16 bytes) and a struct sockaddr_in; 40 bytes.
    private static unsafe void AddV4(List<InterfaceAddress> all)
    {
        const int NameBytes = 16, RequestBytes = 40, Most = 1024, AddressOffset = NameBytes + 4;
        const uint GetConfiguration = 0x8912, GetNetmask = 0x891B, GetIndex = 0x8933;
        int fd = SocketCalls.Create(Constant.AF_INET, Constant.SOCK_DGRAM, 0);
        byte[] requests = new byte[Most * RequestBytes];
        fixed (byte* at = requests)
        {
            long* configuration = stackalloc long[] { requests.Length, (long)at };
            int bytes = Kernel.Ioctl(fd, GetConfiguration, configuration) < 0 ? 0 : (int)configuration[0];
            for (int i = 0; i + RequestBytes <= bytes; i += RequestBytes)
            {
                InternetAddress address = InternetAddress.OfV4(requests.AsSpan(i + AddressOffset));
                // The address is looked at, too: one interface may have several.
                bool hasMask = Kernel.Ioctl(fd, GetNetmask, at + i) == 0;
                uint mask = hasMask ? BinaryPrimitives.ReadUInt32BigEndian(requests.AsSpan(i + AddressOffset)) : uint.MaxValue;
                int index = Kernel.Ioctl(fd, GetIndex, at + i) < 0 ? 0 : BitConverter.ToInt32(requests, i + NameBytes);
                if (!address.IsLoopback)
                {
                    all.Add(new InterfaceAddress(address, V4PrefixOffset + BitOperations.PopCount(mask), index));
                }
            }
        }

        Kernel.Close(fd);
    }

    // proc(5) says nothing of it; if6_seq_show in net/ipv6/addrconf.c: address, interface, prefix, scope, flags (all hexadecimal), name.
    private static void AddV6(List<InterfaceAddress> all)
    {
        const int Global = 0;
        foreach (string line in ProcFile.ReadText("/proc/self/net/if_inet6").Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 4 && words[0].Length == 32 && Number(words[3]) == Global)
            {
                var address = new InternetAddress(Half(words[0][..16]), Half(words[0][16..]));
                all.Add(new InterfaceAddress(address, Number(words[2]), Number(words[1])));
            }
        }
    }

    private static ulong Half(string hex) => ulong.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static int Number(string hex) => int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
