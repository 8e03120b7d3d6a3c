// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The options of a socket, read back from the kernel.</summary>
internal sealed class SocketOptions
{
    private readonly SocketOption[][] _tables;

    // For each option of the tables: its length, 0 when this socket does not have it, and its value.
    private readonly byte[] _values;
    private readonly SocketBuffers _buffers;
    private readonly SocketFilter _filter;
    private readonly MulticastGroups _groups;

    private SocketOptions(int fd, SocketOption[][] tables, int domain, int protocol)
    {
        _tables = tables;
        _values = Read(fd, tables);
        _buffers = SocketBuffers.Capture(fd);
        _filter = SocketFilter.Capture(fd);
        _groups = MulticastGroups.Capture(fd, domain, protocol);
    }

    /// <exception cref="CheckpointException">It has one that nobody can read back.</exception>
    public static SocketOptions Capture(int fd, int domain, int protocol)
    {
        const int UpperProtocol = 31 /* TCP_ULP */, NameBytes = 16;
        if (protocol == SocketCalls.InternetTcp && SocketCalls.GetBytes(fd, protocol, UpperProtocol, NameBytes).Length > 0)
        {
            throw new CheckpointException($"fd {fd} is a TCP connection that the kernel encrypts (TLS in the kernel, TCP_ULP), whose keys cannot be read back. Close it before the checkpoint, or let the program encrypt itself.");
        }

        return new SocketOptions(fd, SocketOptionTable.Of(domain, protocol, SocketCalls.PeerAddress(fd).Length > 0), domain, protocol);
    }

    /// <summary>What must be there before a name or contents are.</summary>
    public void RestoreBeforeUse(int fd)
    {
        Restore(fd, OptionMoment.BeforeName, null);
        _buffers.Restore(fd);
    }

    /// <summary>Everything.</summary>
    /// <param name="what">The socket, for people.</param>
    public void Restore(int fd, string what)
    {
        _groups.Restore(fd, what);
        Restore(fd, OptionMoment.BeforeName, what);
        Restore(fd, OptionMoment.Last, what);
        _buffers.Restore(fd);
        _filter.Restore(fd, what);
    }

    private static byte[] Read(int fd, SocketOption[][] tables)
    {
        var values = new List<byte>();
        foreach (SocketOption[] table in tables)
        {
            foreach (SocketOption option in table)
            {
                byte[] value = SocketCalls.GetBytes(fd, option.Level, option.Number, option.Bytes);
                values.Add((byte)value.Length);
                values.AddRange(value);
            }
        }

        return values.ToArray();
    }

    // What is as it was is not touched: some options need privileges, and some undo others (SO_TIMESTAMP, SO_TIMESTAMPNS).
    private void Restore(int fd, OptionMoment moment, string? what)
    {
        int at = 0;
        foreach (SocketOption[] table in _tables)
        {
            foreach (SocketOption option in table)
            {
                int length = _values[at++];
                byte[] value = _values[at..(at + length)];
                at += length;
                if (length > 0 && option.Moment == moment && !IsNow(fd, option, value))
                {
                    Restore(fd, option, value, what);
                }
            }
        }
    }

    private static bool IsNow(int fd, SocketOption option, byte[] value)
        => SocketCalls.GetBytes(fd, option.Level, option.Number, option.Bytes).AsSpan().SequenceEqual(value);

    private static void Restore(int fd, SocketOption option, byte[] value, string? what)
    {
        int error = SocketCalls.SetBytes(fd, option.Level, option.Number, value);
        if (error < 0 && what is not null)
        {
            RestartStdio.Warn($"{what}: the option {option.Name} could not be set again: {Errno.Text(error)}");
        }
    }
}
