// World: Frozen. All members are suspended: what is there stays there.
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Walks through what a socket has received and the program has not read; nothing is consumed.</summary>
/// <remarks>SO_PEEK_OFF, socket(7): for AF_UNIX and UDP since Linux 3.4 and 4.7, for TCP since 6.10.</remarks>
internal sealed unsafe class MessagePeek(int fd, bool isStream)
{
    private const int PieceBytes = 256 * 1024;
    private const int AddressBytes = 128;
    private readonly List<SocketMessage> _messages = [];
    private readonly int _total = isStream ? SocketCalls.Unread(fd) : 0;
    private int _offset;

    /// <remarks>A look at nothing would take an error away that waits for the program (SO_ERROR), so there must be something.</remarks>
    /// <param name="before">SO_PEEK_OFF, when that is known.</param>
    public static List<SocketMessage> All(int fd, bool isStream, int? before = null)
    {
        var peek = new MessagePeek(fd, isStream);
        if (isStream ? peek._total <= 0 : (Kernel.PollNow(fd, Constant.POLLIN) & Constant.POLLIN) == 0)
        {
            return peek._messages;
        }

        // Negative: a look is one at the beginning.
        int offset = before ?? SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset);
        if (isStream && offset < 0 && peek.HasTakenAll())
        {
            return peek._messages;
        }

        if (SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset, 0) < 0)
        {
            peek.TakeWhole();
            return peek._messages;
        }

        try
        {
            while (peek.TryNext())
            {
            }
        }
        finally
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset, offset);
        }

        return peek._messages;
    }

    // With one look, as mostly.
    private bool HasTakenAll()
    {
        if (_total > PieceBytes)
        {
            return false;
        }

        Peeked peeked = Look(PieceBytes);
        if (peeked.Bytes != _total || peeked.Descriptors.Length > 0 || peeked.Credentials.IsKnown)
        {
            Close(peeked.Descriptors);
            return false;
        }

        _messages.Add(new SocketMessage(CapturedMemory.Take(_total), peeked.Sender));
        return true;
    }

    private bool TryNext()
    {
        if (isStream && _offset >= _total)
        {
            return false;
        }

        int room = PieceBytes;
        Peeked peeked = Look(room);
        if (peeked.Bytes > room)
        {
            // A message is longer than we thought: once more, with room for all of it.
            Close(peeked.Descriptors);
            room = (int)peeked.Bytes;
            peeked = LookFrom(_offset, room);
        }

        if (peeked.Bytes < 0 || (peeked.Bytes == 0 && (isStream || IsAtEnd())))
        {
            return false;
        }

        if (isStream && peeked.Descriptors.Length > 0 && BytesBeforeDescriptors((int)peeked.Bytes) is > 0 and int before)
        {
            // The kernel gives the bytes in front along with the ones that carry descriptors: here they are apart.
            Close(peeked.Descriptors);
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset, _offset + before);
            peeked = new Peeked(before, peeked.Sender, [], peeked.Credentials);
        }

        _offset += (int)peeked.Bytes;
        _messages.Add(new SocketMessage(CapturedMemory.Take((int)peeked.Bytes), peeked.Sender) { Peeked = peeked.Descriptors, Credentials = peeked.Credentials });
        return true;
    }

    // How many of these bytes come before the piece that carries the descriptors. A look at fewer bytes shows the descriptors as well
    // (unix_stream_read_generic in net/unix/af_unix.c goes on to the next piece with a length of 0). But a piece that cannot be copied
    // whole is not looked at: when the last byte has no place, what remains is what comes before.
    private int BytesBeforeDescriptors(int bytes)
    {
        const long Nowhere = 1;
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset, _offset);
        byte* at = CapturedMemory.Room(bytes).Pointer;
        long* vectors = stackalloc long[] { (long)at, bytes - 1, Nowhere, 1 };
        long* message = stackalloc long[] { 0, 0, (long)vectors, 2, 0, 0, 0 };
        int before = Math.Max((int)Kernel.Call(SystemCall.RecvMsg, fd, (long)message, Constant.MSG_PEEK | Constant.MSG_DONTWAIT), 0);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset, _offset + bytes);
        return before;
    }

    private Peeked LookFrom(int offset, int room)
    {
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.PeekOffset, offset);
        return Look(room);
    }

    private Peeked Look(int room)
    {
        byte* at = CapturedMemory.Room(room).Pointer;
        byte* control = stackalloc byte[ControlMessages.MostBytes];
        byte* name = stackalloc byte[AddressBytes];
        long* vector = stackalloc long[] { (long)at, room };
        // struct msghdr: name, its length, iov, iov count, control, its length, flags.
        long* message = stackalloc long[] { (long)name, AddressBytes, (long)vector, 1, (long)control, ControlMessages.MostBytes, 0 };
        int wanted = Constant.MSG_PEEK | Constant.MSG_DONTWAIT | Constant.MSG_CMSG_CLOEXEC | (isStream ? 0 : Constant.MSG_TRUNC);
        long got = Kernel.Call(SystemCall.RecvMsg, fd, (long)message, wanted);
        return got < 0
            ? new Peeked(got, [], [], default)
            : new Peeked(
                got, new ReadOnlySpan<byte>(name, (int)message[1]).ToArray(),
                ControlMessages.Descriptors(control, message[5]), ControlMessages.Sender(control, message[5]));
    }

    // One look gives the whole queue.
    private void TakeWhole()
    {
        for (int room = PieceBytes; ; room *= 2)
        {
            Peeked peeked = Look(room);
            Close(peeked.Descriptors);
            if (peeked.Bytes <= 0)
            {
                return;
            }

            if (peeked.Bytes < room)
            {
                _messages.Add(new SocketMessage(CapturedMemory.Take((int)peeked.Bytes), peeked.Sender));
                return;
            }
        }
    }

    private static void Close(int[] descriptors)
    {
        foreach (int descriptor in descriptors)
        {
            Kernel.Close(descriptor);
        }
    }

    // For messages 0 bytes are an empty one, or the end of the connection: POLLHUP or POLLRDHUP tells.
    private bool IsAtEnd()
    {
        const short PeerClosed = 0x2000;
        return (Kernel.PollNow(fd, PeerClosed) & (PeerClosed | Constant.POLLHUP)) != 0;
    }

    private readonly record struct Peeked(long Bytes, byte[] Sender, int[] Descriptors, SenderCredentials Credentials);
}
