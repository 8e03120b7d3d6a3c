// World: Frozen, restored process. include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h; what it makes can be seen with nft(8).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>
/// Holds all packets of some connections back, in both directions: a table of nf_tables in the network namespace of this process. The peers
/// get no answer, and so do what they do when a network is down for a while: they send again.
/// </summary>
/// <remarks>Nobody waits forever. While a checkpoint is under way the table belongs to our netlink socket: when the process ends, however it
/// does, the kernel takes the table away (NFT_TABLE_F_OWNER, Linux 5.12). The one of a computation that sleeps lets its connections go
/// after a day.</remarks>
internal sealed class PacketHold : IDisposable
{
    /// <summary>Of the names of tables that outlive their makers.</summary>
    public const string SleepPrefix = "dormouse-sleep-";

    private const uint Owner = 2;
    private const ulong SleepMilliseconds = 24 * 3600 * 1000;
    private readonly NetlinkSocket _owner;

    private PacketHold(NetlinkSocket owner) => _owner = owner;

    /// <summary>For as long as this process lives and does not dispose of it. Null, and an error, when the kernel does not want to.</summary>
    public static PacketHold? Begin(string name, List<ConnectionEnds> connections, out int error)
    {
        var owner = new NetlinkSocket(NetlinkSocket.Filter);
        error = owner.Tell(HoldTable.Make(name, Owner, 0, connections));
        if (error == 0)
        {
            return new PacketHold(owner);
        }

        owner.Dispose();
        return null;
    }

    /// <summary>For a day, also beyond the end of this process, in place of an earlier one of this name. 0 or -errno.</summary>
    public static int Lay(string name, List<ConnectionEnds> connections)
    {
        using var socket = new NetlinkSocket(NetlinkSocket.Filter);
        AbandonedHolds.Sweep(socket, SleepPrefix);
        return socket.Tell(HoldTable.Make(name, 0, SleepMilliseconds, connections));
    }

    /// <summary>Lets everything through again. 0 or -errno.</summary>
    public static int Lift(string name)
    {
        using var socket = new NetlinkSocket(NetlinkSocket.Filter);
        return socket.Tell(HoldTable.Remove(name));
    }

    public void Dispose() => _owner.Dispose();
}
