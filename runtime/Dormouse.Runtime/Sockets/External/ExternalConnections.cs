// World: Frozen, restored process.
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>
/// The TCP connections of this process to peers outside of the computation that are to be there after the restart:
/// docs/decisions/0020-external-connections.md.
/// </summary>
internal static class ExternalConnections
{
    private const int LastPacketsMilliseconds = 2;
    private static readonly List<RepairedConnection> s_kept = [];
    private static readonly List<(RepairedConnection Connection, int Fd)> s_restored = [];
    private static PacketHold? s_hold;
    private static string s_name = "";

    /// <summary>This checkpoint is to keep them: "dmcommand --kcheckpoint --keep-external-tcp".</summary>
    public static bool AreWanted { get; private set; }

    /// <summary>They were kept, and this restart can take them up.</summary>
    public static bool CanWakeUp { get; private set; }

    /// <summary>Why they cannot be kept, for the user; null when they can.</summary>
    public static string? Obstacle { get; private set; }

    public static void Begin(bool areWanted, ulong computation, uint member)
    {
        (AreWanted, Obstacle) = (areWanted, null);
        s_name = $"{computation.ToString("x16", CultureInfo.InvariantCulture)}-{member}";
        s_kept.Clear();
    }

    /// <summary>Holds the network back and takes all these connections out of their sockets.</summary>
    public static void Capture(List<TcpConnection> connections)
    {
        if (!AreWanted || connections.Count == 0)
        {
            return;
        }

        s_hold = PacketHold.Begin("dormouse-checkpoint-" + s_name, connections.ConvertAll(one => one.Ends), out int error);
        if (s_hold is null)
        {
            Obstacle = error == -Errno.NotPermitted
                ? "the process is not root's (CAP_NET_ADMIN)"
                : $"the kernel does not hold its packets back (nf_tables, Linux 5.12): {Errno.Text(error)}";
            return;
        }

        // Packets that had passed before are now with their sockets.
        Kernel.Sleep(LastPacketsMilliseconds);
        foreach (TcpConnection one in connections)
        {
            if (one.Keep() is { } kept)
            {
                s_kept.Add(kept);
            }
        }
    }

    /// <summary>The program goes on.</summary>
    public static void GoOn()
    {
        foreach (RepairedConnection one in s_kept)
        {
            one.GoOn();
        }

        s_kept.Clear();
        s_hold?.Dispose();
        s_hold = null;
        AreWanted = false;
    }

    /// <summary>The process is about to end, for a restart to come: its connections are held back beyond that.</summary>
    public static void FallAsleep()
    {
        if (s_kept.Count > 0 && PacketHold.Lay(SleepName, EndsOfAll()) is < 0 and int error)
        {
            Diagnostics.Report($"the packets of {s_kept.Count} TCP connections to peers outside of the computation cannot be held back: {Errno.Text(error)}");
        }

        HostAddress.TakeAway();
    }

    /// <summary>Before a restart changes anything. On another host than before packets are not held back yet.</summary>
    /// <exception cref="CheckpointException">One of them is in use on this host.</exception>
    public static void HoldBack()
    {
        s_hold = null;
        s_restored.Clear();
        HostAddress.Forget();
        CanWakeUp = s_kept.Count > 0;
        if (!CanWakeUp)
        {
            return;
        }

        RefuseWhatIsInUse();
        int error = PacketHold.Lay(SleepName, EndsOfAll());
        if (error < 0)
        {
            CanWakeUp = false;
            string why = error == -Errno.NotPermitted ? "this needs root" : $"packets cannot be held back (nf_tables): {Errno.Text(error)}";
            RestartStdio.WarnOfProcess($"{s_kept.Count} TCP connections to peers outside of the computation are not taken up again: {why}; the program sees a connection reset");
        }
    }

    /// <summary>Gives this host the addresses that the peers know.</summary>
    /// <exception cref="CheckpointException">One is with another host.</exception>
    public static void BringAddresses()
    {
        if (!CanWakeUp)
        {
            return;
        }

        foreach (RepairedConnection one in s_kept)
        {
            HostAddress.Bring(one.Ends);
        }
    }

    /// <summary>One of them is in its socket again.</summary>
    public static void Add(RepairedConnection connection, int fd) => s_restored.Add((connection, fd));

    /// <summary>Everything of the restart is done: the network may come.</summary>
    public static void WakeUp()
    {
        AreWanted = false;
        s_kept.Clear();
        if (!CanWakeUp)
        {
            return;
        }

        PacketHold.Lift(SleepName);
        foreach ((RepairedConnection connection, int fd) in s_restored)
        {
            connection.WakeUp(fd);
        }

        s_restored.Clear();
        CanWakeUp = false;
    }

    // The images of a computation that has been woken from them already: to hold these packets back would cut it off from its peers.
    private static void RefuseWhatIsInUse()
    {
        foreach (RepairedConnection one in s_kept)
        {
            if (InetDiagnosis.Find(one.Ends.Local, one.Ends.Peer) is { Inode: not 0 })
            {
                SocketDiagnosis.Close();
                throw new CheckpointException($"the TCP connection {one.Ends} is in use on this host, perhaps by the same computation. End that first, such as with dmcommand --kill.");
            }
        }

        SocketDiagnosis.Close();
    }

    private static string SleepName => PacketHold.SleepPrefix + s_name;

    private static List<ConnectionEnds> EndsOfAll() => s_kept.ConvertAll(one => one.Ends);
}
