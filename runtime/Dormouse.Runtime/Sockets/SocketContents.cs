// World: Frozen (peek), restored process (feed).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What a socket has received and the program has not read: copied by peeking, nothing is consumed.</summary>
internal sealed unsafe class SocketContents
{
    private const int PeekOffset = 42;
    private const int MessageBytes = 1 << 20;
    private const int MostMessages = 1 << 20;
    private const int ControlBytes = 4096;
    private readonly List<(byte[] Bytes, byte[] Sender)> _messages = [];
    private readonly bool _isStream;

    private SocketContents(bool isStream) => _isStream = isStream;

    public bool IsEmpty => _messages.Count == 0;

    public IReadOnlyList<(byte[] Bytes, byte[] Sender)> Messages => _messages;

    /// <param name="fd">The socket.</param>
    /// <param name="isStream">Bytes, not messages.</param>
    /// <param name="what">For messages to the user.</param>
    public static SocketContents Peek(int fd, bool isStream, string what)
    {
        var contents = new SocketContents(isStream);
        int before = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, PeekOffset);
        if (SocketCalls.SetInt(fd, Constant.SOL_SOCKET, PeekOffset, 0) < 0)
        {
            contents.PeekWhole(fd);
            return contents;
        }

        try
        {
            contents.Walk(fd, what);
        }
        finally
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, PeekOffset, before);
        }

        return contents;
    }

    /// <summary>Contents that were taken out, in order.</summary>
    public static SocketContents OfStream(List<byte[]> pieces)
    {
        var contents = new SocketContents(true);
        foreach (byte[] piece in pieces)
        {
            contents._messages.Add((piece, []));
        }

        return contents;
    }

    /// <summary>As <see cref="Feed"/>, and makes room where the new sockets have less than the old ones had grown to.</summary>
    public int FeedAll(int feeder, int receiver)
    {
        if (!_isStream)
        {
            return Feed(feeder);
        }

        foreach ((byte[] bytes, _) in _messages)
        {
            if (StreamWriter.WriteAll(feeder, receiver, bytes) is int error and < 0)
            {
                return error;
            }
        }

        return 0;
    }

    /// <summary>Sends everything into <paramref name="feeder"/>, the other end. 0, or -errno: -EAGAIN when it does not fit.</summary>
    public int Feed(int feeder)
    {
        foreach ((byte[] bytes, _) in _messages)
        {
            fixed (byte* at = bytes)
            {
                for (int done = 0; done < bytes.Length || bytes.Length == 0;)
                {
                    long sent = Kernel.Call(SystemCall.SendTo, feeder, (long)(at + done), bytes.Length - done, Constant.MSG_NOSIGNAL | Constant.MSG_DONTWAIT);
                    if (sent < 0)
                    {
                        return (int)sent;
                    }

                    done += (int)sent;
                    if (bytes.Length == 0)
                    {
                        break;
                    }
                }
            }
        }

        return 0;
    }

    private void Walk(int fd, string what)
    {
        byte[] buffer = new byte[MessageBytes];
        byte[] sender = new byte[128];
        byte* control = stackalloc byte[ControlBytes];
        fixed (byte* at = buffer, name = sender)
        {
            long* vector = stackalloc long[2];
            long* message = stackalloc long[7];
            while (_messages.Count < MostMessages)
            {
                (vector[0], vector[1]) = ((long)at, buffer.Length);
                (message[0], message[1], message[2], message[3], message[4], message[5], message[6]) =
                    ((long)name, sender.Length, (long)vector, 1, (long)control, ControlBytes, 0);
                long got = Kernel.Call(SystemCall.RecvMsg, fd, (long)message, Constant.MSG_PEEK | Constant.MSG_DONTWAIT | Constant.MSG_CMSG_CLOEXEC);
                if (got < 0 || (got == 0 && _isStream))
                {
                    return;
                }

                bool carriesDescriptors = CloseReceived(control, message[5]);
                if (carriesDescriptors)
                {
                    throw new CheckpointException($"{what} holds a message with descriptors (SCM_RIGHTS) that is not read yet, which cannot be restored yet. Try again when it has been read.");
                }

                if (got == 0 && IsAtEnd(fd))
                {
                    return;
                }

                _messages.Add((buffer.AsSpan(0, (int)got).ToArray(), sender.AsSpan(0, (int)message[1]).ToArray()));
            }
        }
    }

    // Kernels before 6.10 have no SO_PEEK_OFF for TCP: one peek gives the whole queue.
    private void PeekWhole(int fd)
    {
        for (int size = MessageBytes; ; size *= 2)
        {
            byte[] buffer = new byte[size];
            fixed (byte* at = buffer)
            {
                long got = Kernel.Call(SystemCall.RecvFrom, fd, (long)at, size, Constant.MSG_PEEK | Constant.MSG_DONTWAIT);
                if (got <= 0)
                {
                    return;
                }

                if (got < size || !_isStream)
                {
                    _messages.Add((buffer.AsSpan(0, (int)got).ToArray(), []));
                    return;
                }
            }
        }
    }

    // A peek installs the descriptors that a message carries: unix(7). cmsg: u64 length | i32 level | i32 type | data.
    private static bool CloseReceived(byte* control, long bytes)
    {
        bool any = false;
        for (long at = 0; at + 16 <= bytes;)
        {
            long length = *(long*)(control + at);
            if (length < 16)
            {
                break;
            }

            if (*(int*)(control + at + 8) == Constant.SOL_SOCKET && *(int*)(control + at + 12) == 1)
            {
                for (long fd = at + 16; fd + 4 <= at + length; fd += 4)
                {
                    Kernel.Close(*(int*)(control + fd));
                    any = true;
                }
            }

            at += (length + 7) & ~7;
        }

        return any;
    }

    // For messages 0 bytes are an empty one, or the end of the connection: POLLHUP or POLLRDHUP tells.
    private static bool IsAtEnd(int fd)
    {
        const short PeerClosed = 0x2000, HungUp = 0x10;
        return (Kernel.PollNow(fd, PeerClosed) & (PeerClosed | HungUp)) != 0;
    }
}
