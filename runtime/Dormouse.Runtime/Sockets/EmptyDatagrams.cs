// World: Frozen.
using System;
using System.Globalization;
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Empty datagrams that a socket has received. The kernel shows each to the first look and passes it over in all later ones
/// (__skb_try_recv_from_queue in net/core/datagram.c), so a checkpoint remembers for the next where it has seen some.
/// </summary>
internal static class EmptyDatagrams
{
    private static readonly Dictionary<ulong, Seen> s_seen = [];

    /// <summary>What a look at a socket has shown.</summary>
    /// <param name="QueuedBytes">As the kernel counts them, also for empty ones; -1 where it does not tell.</param>
    private sealed record Seen(Datagram[] Datagrams, long QueuedBytes)
    {
        /// <summary>Another process has seen empty ones in it that were not shown to this one.</summary>
        public bool IsPart { get; init; }
    }

    private sealed record Datagram(int Length, ulong Print, byte[] Sender, bool IsPlain)
    {
        public bool IsLike(SocketMessage message)
            => Length == message.Bytes.Length && Print == PrintOf(message) && Sender.AsSpan().SequenceEqual(message.Sender);
    }

    /// <summary>At the beginning of a restart: no socket is the one that it was.</summary>
    public static void Forget() => s_seen.Clear();

    /// <summary>There is nothing in it now.</summary>
    public static void Forget(int fd) => s_seen.Remove(SocketCalls.Cookie(fd));

    /// <summary>Another holder was shown more: its looks have hidden empty ones from this process.</summary>
    public static void NoteHidden(int fd, IReadOnlyList<SocketMessage> shown)
    {
        s_seen[SocketCalls.Cookie(fd)] = new Seen(RememberAll(shown), -1) { IsPart = true };
    }

    /// <summary>Adds to <paramref name="messages"/>, all that a look at a socket shows, those that it has passed over.</summary>
    /// <returns>False when there may be some that nobody knows of.</returns>
    public static bool Complete(int fd, int domain, int type, List<SocketMessage> messages)
    {
        ulong cookie = SocketCalls.Cookie(fd);
        long queued = domain == Constant.AF_UNIX ? -1 : QueuedBytes(fd);
        bool isComplete = true;
        if (s_seen.Remove(cookie, out Seen? before))
        {
            if (queued >= 0 && queued == before.QueuedBytes && IsRestOf(before, 0, messages) && ShownOf(before, 0) == messages.Count)
            {
                isComplete = PutBack(before.Datagrams, messages);
            }
            else
            {
                isComplete = !MayHaveRest(fd, type, before, messages);
            }
        }
        else if (HasEmptyHead(fd, type) == true && (messages.Count == 0 || messages[0].Bytes.Length > 0))
        {
            // The program has looked itself (MSG_PEEK).
            isComplete = false;
        }

        if (!isComplete && before is not null)
        {
            s_seen[cookie] = before;
        }
        else if (messages.Exists(message => message.Bytes.Length == 0))
        {
            s_seen[cookie] = new Seen(RememberAll(messages), queued);
        }

        return isComplete;
    }

    // The program has read from the front, and what came since is at the end: for any number that it may have read, does what is
    // visible agree, with an empty one passed over?
    private static bool MayHaveRest(int fd, int type, Seen before, List<SocketMessage> visible)
    {
        bool? hasEmptyHead = HasEmptyHead(fd, type);
        if (before.IsPart && hasEmptyHead != false)
        {
            return true;
        }

        for (int read = 0; read < before.Datagrams.Length; read++)
        {
            bool hasEmpty = before.IsPart || Array.Exists(before.Datagrams[read..], datagram => datagram.Length == 0);
            bool headAgrees = hasEmptyHead is null || hasEmptyHead == (before.Datagrams[read].Length == 0);
            if (hasEmpty && headAgrees && IsRestOf(before, read, visible))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsRestOf(Seen before, int read, List<SocketMessage> visible)
    {
        int at = 0;
        for (int i = read; i < before.Datagrams.Length; i++)
        {
            if (before.Datagrams[i].Length > 0 && (at == visible.Count || !before.Datagrams[i].IsLike(visible[at++])))
            {
                return false;
            }
        }

        return true;
    }

    private static int ShownOf(Seen before, int read)
    {
        int shown = 0;
        for (int i = read; i < before.Datagrams.Length; i++)
        {
            shown += before.Datagrams[i].Length > 0 ? 1 : 0;
        }

        return shown;
    }

    // False when one came with more than its sender.
    private static bool PutBack(Datagram[] all, List<SocketMessage> visible)
    {
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i].Length == 0)
            {
                visible.Insert(i, new SocketMessage(new CapturedBytes(0, 0), all[i].Sender));
            }
        }

        return Array.TrueForAll(all, datagram => datagram.Length > 0 || datagram.IsPlain);
    }

    /// <summary>Whether the next to be read is empty: SIOCINQ, which for SOCK_SEQPACKET counts all; null when nobody can tell.</summary>
    private static bool? HasEmptyHead(int fd, int type)
    {
        const short PeerClosed = 0x2000;
        short events = Kernel.PollNow(fd, Constant.POLLIN | PeerClosed);
        if ((events & Constant.POLLIN) == 0 || (events & (PeerClosed | Constant.POLLHUP)) != 0)
        {
            return (events & Constant.POLLIN) == 0 ? false : null;
        }

        int unread = SocketCalls.Unread(fd);
        return unread == 0 ? true : type == Constant.SOCK_DGRAM ? false : null;
    }

    // Of UDP: tx_queue:rx_queue of the socket's line, hexadecimal; udp_rqueue_get in include/net/udp.h.
    private static long QueuedBytes(int fd)
    {
        const int Queues = 4, Inode = 9;
        if (Kernel.FStat(fd, out FileStatus status) < 0)
        {
            return -1;
        }

        string inode = status.Inode.ToString(CultureInfo.InvariantCulture);
        foreach (string table in (string[])["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"])
        {
            foreach (string line in ProcFile.ReadText(table).Split('\n'))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > Inode && fields[Inode] == inode)
                {
                    return long.Parse(fields[Queues].AsSpan(fields[Queues].IndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                }
            }
        }

        return -1;
    }

    private static Datagram[] RememberAll(IReadOnlyList<SocketMessage> messages)
    {
        var all = new Datagram[messages.Count];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = Remember(messages[i]);
        }

        return all;
    }

    private static Datagram Remember(SocketMessage message)
        => new(message.Bytes.Length, PrintOf(message), message.Sender, message.Peeked.Length == 0 && !message.Credentials.IsKnown);

    // FNV-1a.
    private static unsafe ulong PrintOf(SocketMessage message)
    {
        ulong print = 14695981039346656037;
        for (int i = 0; i < message.Bytes.Length; i++)
        {
            print = (print ^ message.Bytes.Pointer[i]) * 1099511628211;
        }

        return print;
    }
}
