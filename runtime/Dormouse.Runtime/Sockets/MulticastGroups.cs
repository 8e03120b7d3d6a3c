// World: Frozen (capture), restored process (restore).
using System.Buffers.Binary;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The multicast groups that a socket has joined, each on one interface, with the senders it wants or does not want.</summary>
/// <remarks>
/// The kernel does not list them. But it lists the groups that anybody has joined (/proc/net/igmp, igmp6), and tells of each whether a socket
/// has, and with which filter: MCAST_MSFILTER, RFC 3678 5.1.3; ip_mc_gsfget in net/ipv4/igmp.c.
/// </remarks>
internal sealed unsafe class MulticastGroups
{
    private const int Ip = 0, Ipv6 = 41, Udp = 17;
    private const int JoinGroup = 42, JoinSource = 46, Filter = 48;
    private const int Exclude = 0, MostSources = 128;

    // struct group_filter: u32 interface, group at 8, u32 mode, u32 sources, their addresses; each struct sockaddr_storage has 128 bytes.
    private const int AddressBytes = 128, GroupAt = 8, ModeAt = GroupAt + AddressBytes, CountAt = ModeAt + 4, SourcesAt = CountAt + 4;
    private const int InterfaceName = 0x8910, InterfaceIndex = 0x8933, RequestBytes = 40, NameBytes = 16;

    private static readonly MulticastGroups s_none = new([]);
    private readonly List<Membership> _joined;

    private MulticastGroups(List<Membership> joined) => _joined = joined;

    private readonly record struct Membership(int Level, string Interface, byte[] Filter);

    public static MulticastGroups Capture(int fd, int domain, int protocol)
    {
        if (protocol != Udp)
        {
            return s_none;
        }

        var joined = new List<Membership>();
        foreach ((int index, byte[] group) in V4Groups())
        {
            Add(joined, fd, Ip, index, group);
        }

        if (domain == Constant.AF_INET6)
        {
            foreach ((int index, byte[] group) in V6Groups())
            {
                Add(joined, fd, Ipv6, index, group);
            }
        }

        return joined.Count == 0 ? s_none : new MulticastGroups(joined);
    }

    public void Restore(int fd, string what)
    {
        foreach (Membership membership in _joined)
        {
            int error = Join(fd, membership);
            if (error < 0)
            {
                RestartStdio.WarnOfProcess($"{what}: a multicast group on the interface {membership.Interface} could not be joined again: {Errno.Text(error)}");
            }
        }
    }

    private static void Add(List<Membership> joined, int fd, int level, int index, byte[] group)
    {
        byte[] filter = new byte[SourcesAt + (MostSources * AddressBytes)];
        BinaryPrimitives.WriteInt32LittleEndian(filter, index);
        group.CopyTo(filter.AsSpan(GroupAt));
        BinaryPrimitives.WriteInt32LittleEndian(filter.AsSpan(CountAt), MostSources);
        int length = filter.Length;
        fixed (byte* at = filter)
        {
            // Not joined: EADDRNOTAVAIL, or EINVAL.
            if (Kernel.Call(SystemCall.GetSockOpt, fd, level, Filter, (long)at, (long)&length) == 0)
            {
                int sources = Math.Min(BinaryPrimitives.ReadInt32LittleEndian(filter.AsSpan(CountAt)), MostSources);
                joined.Add(new Membership(level, NameOf(fd, index), filter[..(SourcesAt + (sources * AddressBytes))]));
            }
        }
    }

    private static int Join(int fd, Membership membership)
    {
        byte[] filter = membership.Filter.AsSpan().ToArray();
        int index = IndexOf(fd, membership.Interface);
        if (index < 0)
        {
            return index;
        }

        BinaryPrimitives.WriteInt32LittleEndian(filter, index);
        int mode = BinaryPrimitives.ReadInt32LittleEndian(filter.AsSpan(ModeAt));
        if (mode == Exclude)
        {
            int error = SocketCalls.SetBytes(fd, membership.Level, JoinGroup, filter[..ModeAt]);
            return error < 0 || filter.Length == SourcesAt ? error : SocketCalls.SetBytes(fd, membership.Level, Filter, filter);
        }

        // struct group_source_req: interface and group as above, then the source.
        for (int at = SourcesAt; at < filter.Length; at += AddressBytes)
        {
            int error = SocketCalls.SetBytes(fd, membership.Level, JoinSource, [.. filter.AsSpan(0, ModeAt), .. filter.AsSpan(at, AddressBytes)]);
            if (error < 0)
            {
                return error;
            }
        }

        return 0;
    }

    // A line for each device, beginning with its index, and below it an indented line for each group, beginning with the address as this
    // processor reads it.
    private static List<(int Index, byte[] Group)> V4Groups()
    {
        var groups = new List<(int Index, byte[] Group)>();
        int index = 0;
        foreach (string line in ProcFile.ReadText("/proc/thread-self/net/igmp").Split('\n'))
        {
            string first = line.Trim().Split((char[])[' ', '\t'], 2)[0];
            if (!line.StartsWith('\t'))
            {
                _ = int.TryParse(first, out index);
                continue;
            }

            byte[] group = new byte[16];
            group[0] = Constant.AF_INET;
            BinaryPrimitives.WriteUInt32LittleEndian(group.AsSpan(4), Convert.ToUInt32(first, 16));
            groups.Add((index, group));
        }

        return groups;
    }

    // Index, device, address.
    private static List<(int Index, byte[] Group)> V6Groups()
    {
        var groups = new List<(int Index, byte[] Group)>();
        foreach (string line in ProcFile.ReadText("/proc/thread-self/net/igmp6").Split('\n'))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 2 && int.TryParse(fields[0], out int index))
            {
                byte[] group = new byte[28];
                group[0] = Constant.AF_INET6;
                Convert.FromHexString(fields[2]).CopyTo(group, 8);
                groups.Add((index, group));
            }
        }

        return groups;
    }

    // struct ifreq, netdevice(7): the name, then a union that begins with the index.
    private static string NameOf(int fd, int index)
    {
        byte* request = stackalloc byte[RequestBytes];
        *(int*)(request + NameBytes) = index;
        if (Kernel.Ioctl(fd, InterfaceName, request) < 0)
        {
            return "";
        }

        var name = new ReadOnlySpan<byte>(request, NameBytes);
        return KernelText.FromBytes(name[..name.IndexOf((byte)0)]);
    }

    private static int IndexOf(int fd, string name)
    {
        byte* request = stackalloc byte[RequestBytes];
        KernelText.ToBytes(name).AsSpan().CopyTo(new Span<byte>(request, NameBytes - 1));
        int error = Kernel.Ioctl(fd, InterfaceIndex, request);
        return error < 0 ? error : *(int*)(request + NameBytes);
    }
}
