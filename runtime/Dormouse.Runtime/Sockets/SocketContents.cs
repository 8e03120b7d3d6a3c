// World: Frozen (peek), restored process (feed).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Files;

namespace Dormouse.Runtime.Sockets;

/// <summary>What a socket has received and the program has not read.</summary>
internal sealed class SocketContents
{
    private readonly List<SocketMessage> _messages;
    private readonly bool _isStream;
    private bool _isComplete = true;

    private SocketContents(bool isStream, List<SocketMessage> messages)
    {
        _isStream = isStream;
        _messages = messages;
    }

    public static SocketContents Empty { get; } = new(false, []);

    /// <summary>Of a TCP connection: what it has waited in.</summary>
    public StreamBuffers Buffers { get; set; }

    public bool IsEmpty => _messages.Count == 0;

    public IReadOnlyList<SocketMessage> Messages => _messages;

    /// <summary>Copied by peeking: nothing is consumed.</summary>
    public static SocketContents Peek(int fd, bool isStream)
    {
        var contents = new SocketContents(isStream, MessagePeek.All(fd, isStream));
        contents._isComplete = isStream || EmptyDatagrams.Complete(fd, SocketCalls.Domain(fd), SocketCalls.Type(fd), contents._messages);
        return contents;
    }

    /// <exception cref="CheckpointException">There may be more in it than was shown.</exception>
    public void CheckIsComplete(SocketFile of)
    {
        if (!_isComplete)
        {
            throw new CheckpointException($"{of.Name} has received an empty datagram that something has looked at already, the last checkpoint or the program: the kernel does not show it again. Try again when the program has read it.") { IsPassing = true };
        }
    }

    /// <summary>The same for TCP, where one byte may be urgent.</summary>
    public static SocketContents PeekTcp(int fd, SocketOptions options)
        => new(true, UrgentPeek.Has(fd) ? UrgentPeek.All(fd) : MessagePeek.All(fd, isStream: true, options.PeekOffset));

    /// <summary>Contents that were taken out, in order.</summary>
    public static SocketContents OfStream(List<SocketMessage> messages) => new(true, messages);

    public long TotalBytes
    {
        get
        {
            long total = 0;
            foreach (SocketMessage message in _messages)
            {
                total += message.Bytes.Length;
            }

            return total;
        }
    }

    /// <summary>Of a stream: the piece that begins here.</summary>
    public CapturedBytes From(long offset)
    {
        int i = 0;
        for (; offset >= _messages[i].Bytes.Length; i++)
        {
            offset -= _messages[i].Bytes.Length;
        }

        CapturedBytes bytes = _messages[i].Bytes;
        return bytes.Slice((int)offset, bytes.Length - (int)offset);
    }

    /// <summary>Makes descriptions of the descriptors that the messages carry.</summary>
    public void Adopt(Func<int, OpenFile> adopt)
    {
        foreach (SocketMessage message in _messages)
        {
            message.Carried = new OpenFile[message.Peeked.Length];
            for (int i = 0; i < message.Carried.Length; i++)
            {
                message.Carried[i] = adopt(message.Peeked[i]);
            }
        }
    }

    /// <summary>Sends everything into <paramref name="feeder"/>, the other end. 0, or -errno: -EAGAIN when it does not fit.</summary>
    public int Feed(int feeder, int receiver)
    {
        if (_isStream)
        {
            return StreamWriter.WriteAll(feeder, receiver, _messages, Buffers);
        }

        foreach (SocketMessage message in _messages)
        {
            int error = MessageSender.Send(feeder, message, []);
            if (error < 0)
            {
                return error;
            }
        }

        return 0;
    }
}
