// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The options of a socket, read back from the kernel.</summary>
internal sealed class SocketOptions
{
    // More than all options of any socket have; and the length of those that sockets of its kind have not.
    private const int MostBytes = 1024, Absent = 255;
    private static SocketOptions? s_last;
    private readonly SocketOption[][] _tables;

    private readonly SocketIdentity _kind;

    // For each option of the tables: its length, or Absent, and its value.
    private readonly byte[] _values;
    private readonly SocketBuffers _buffers;
    private readonly SocketFilter _filter;
    private readonly MulticastGroups _groups;

    private SocketOptions(SocketIdentity kind, SocketOption[][] tables, byte[] values, SocketBuffers buffers, SocketFilter filter, MulticastGroups groups)
    {
        _kind = kind;
        _tables = tables;
        _values = values;
        _buffers = buffers;
        _filter = filter;
        _groups = groups;
    }

    /// <summary>Nothing here changes: sockets with the same options have one such object, and most of a program's have.</summary>
    /// <exception cref="CheckpointException">It has one that nobody can read back.</exception>
    public static SocketOptions Capture(int fd, SocketIdentity kind, bool isConnected)
    {
        const int UpperProtocol = 31 /* TCP_ULP */, NameBytes = 16;
        if (kind.Protocol == SocketCalls.InternetTcp && SocketCalls.Get(fd, kind.Protocol, UpperProtocol, stackalloc byte[NameBytes]) > 0)
        {
            throw new CheckpointException($"fd {fd} is a TCP connection that the kernel encrypts (TLS in the kernel, TCP_ULP), whose keys cannot be read back. Close it before the checkpoint, or let the program encrypt itself.");
        }

        SocketOption[][] tables = SocketOptionTable.Of(kind.Domain, kind.Protocol, isConnected);
        SocketOptions? last = s_last is { } before && before._kind == kind && before._tables.AsSpan().SequenceEqual(tables) ? before : null;
        Span<byte> values = Read(fd, tables, last is null ? [] : last._values, stackalloc byte[MostBytes]);
        SocketBuffers buffers = SocketBuffers.Capture(fd);
        SocketFilter filter = SocketFilter.Capture(fd);
        MulticastGroups groups = MulticastGroups.Capture(fd, kind.Domain, kind.Protocol);
        return last is not null && values.SequenceEqual(last._values) && buffers == last._buffers && filter == last._filter && groups == last._groups
            ? last
            : s_last = new SocketOptions(kind, tables, values.ToArray(), buffers, filter, groups);
    }

    /// <summary>At the beginning of a checkpoint: this may be another kernel than at the last one.</summary>
    public static void Forget() => s_last = null;

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

    /// <param name="like">The values of a socket of the same kind: what that one does not know this one does not, either. Or empty.</param>
    private static Span<byte> Read(int fd, SocketOption[][] tables, ReadOnlySpan<byte> like, Span<byte> values)
    {
        int at = 0;
        foreach (SocketOption[] table in tables)
        {
            foreach (SocketOption option in table)
            {
                bool isAbsent = !like.IsEmpty && like[0] == Absent;
                int length = isAbsent ? -Errno.NoSuchOption : SocketCalls.Get(fd, option.Level, option.Number, values.Slice(at + 1, option.Bytes));
                values[at] = length is -Errno.NoSuchOption or -Errno.NotSupported ? (byte)Absent : (byte)Math.Max(length, 0);
                at += Step(values[at..]);
                like = like.IsEmpty ? [] : like[Step(like)..];
            }
        }

        return values[..at];
    }

    private static int Step(ReadOnlySpan<byte> values) => values[0] == Absent ? 1 : 1 + values[0];

    // What is as it was is not touched: some options need privileges, and some undo others (SO_TIMESTAMP, SO_TIMESTAMPNS).
    private void Restore(int fd, OptionMoment moment, string? what)
    {
        int at = 0;
        foreach (SocketOption[] table in _tables)
        {
            foreach (SocketOption option in table)
            {
                int step = Step(_values.AsSpan(at));
                byte[] value = _values[(at + 1)..(at + step)];
                at += step;
                if (value.Length > 0 && option.Moment == moment && !IsNow(fd, option, value))
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
