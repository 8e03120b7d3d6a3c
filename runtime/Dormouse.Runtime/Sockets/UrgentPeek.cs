// World: Frozen.
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Unread data with an urgent byte that the program has not read: what comes before it, the byte, and what comes behind.</summary>
/// <remarks>Looking stops at the mark, as reading does; among the other bytes (SO_OOBINLINE) the urgent one can be looked at like them.</remarks>
internal static unsafe class UrgentPeek
{
    public static bool Has(int fd) => (Kernel.PollNow(fd, Constant.POLLPRI) & Constant.POLLPRI) != 0;

    public static List<SocketMessage> All(int fd)
    {
        int inline = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketCalls.UrgentInline);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.UrgentInline, 0);
        // Without SO_OOBINLINE the mark is as far away as the kernel says there is to read (tcp_inq in net/ipv4/tcp.c).
        int mark = SocketCalls.Unread(fd);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.UrgentInline, 1);
        List<SocketMessage> all = MessagePeek.All(fd, isStream: true);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.UrgentInline, inline);
        return Mark(all, mark);
    }

    private static List<SocketMessage> Mark(List<SocketMessage> all, int mark)
    {
        var marked = new List<SocketMessage>();
        foreach (SocketMessage message in all)
        {
            CapturedBytes bytes = message.Bytes;
            if (mark < 0 || mark >= bytes.Length)
            {
                marked.Add(message);
            }
            else
            {
                Add(marked, bytes.Slice(0, mark), false);
                Add(marked, bytes.Slice(mark, 1), true);
                Add(marked, bytes.Slice(mark + 1, bytes.Length - mark - 1), false);
            }

            mark -= bytes.Length;
        }

        return marked;
    }

    private static void Add(List<SocketMessage> marked, CapturedBytes bytes, bool isUrgent)
    {
        if (bytes.Length > 0)
        {
            marked.Add(new SocketMessage(bytes, []) { IsUrgent = isUrgent });
        }
    }
}
