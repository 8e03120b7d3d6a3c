// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The options of a socket, read back from the kernel.</summary>
internal sealed class SocketOptions
{
    private readonly SocketOptionLayout _layout;
    private readonly byte[] _values;
    private readonly SocketBuffers _buffers;
    private readonly SocketFilter _filter;
    private readonly MulticastGroups _groups;

    /// <summary>The kernel keeps more for it than is here, and shows that to nobody: keys of TCP_MD5SIG (tcp_md5_do_add in net/ipv4/tcp_ipv4.c) …</summary>
    public bool HasUnreadable { get; private init; }

    private SocketOptions(SocketOptionLayout layout, byte[] values, SocketBuffers buffers, SocketFilter filter, MulticastGroups groups)
    {
        _layout = layout;
        _values = values;
        _buffers = buffers;
        _filter = filter;
        _groups = groups;
        PeekOffset = Number(Constant.SOL_SOCKET, SocketCalls.PeekOffset, -1);
    }

    /// <summary>SO_PEEK_OFF; negative: a look is one at the beginning.</summary>
    public int PeekOffset { get; }

    /// <summary>Nothing here changes: sockets with the same options have one such object, and most of a program's have.</summary>
    /// <exception cref="CheckpointException">It has one that nobody can read back.</exception>
    public static SocketOptions Capture(int fd, SocketIdentity kind, bool isConnected)
    {
        var layout = SocketOptionLayout.Of(fd, kind, isConnected);
        Span<byte> values = stackalloc byte[layout.Bytes];
        layout.Read(fd, values);
        if (kind.Protocol == SocketCalls.InternetTcp && !layout.ValueOf(SocketCalls.InternetTcp, SocketOptionTable.UpperProtocol, values).IsEmpty)
        {
            throw new CheckpointException($"fd {fd} is a TCP connection that the kernel encrypts (TLS in the kernel, TCP_ULP), whose keys cannot be read back. Close it before the checkpoint, or let the program encrypt itself.");
        }

        var buffers = SocketBuffers.Capture(fd, Number(layout.ValueOf(Constant.SOL_SOCKET, SocketBuffers.Lock, values), 0));
        SocketFilter filter = SocketFilter.Capture(fd);
        MulticastGroups groups = MulticastGroups.Capture(fd, kind.Domain, kind.Protocol);
        bool hasUnreadable = kind.Protocol == SocketCalls.InternetTcp && filter.IsNone && SocketMemory.Of(fd).OptionBytes > 0;
        return layout.Last is { } last && values.SequenceEqual(last._values) && buffers == last._buffers && filter == last._filter && groups == last._groups && hasUnreadable == last.HasUnreadable
            ? last
            : layout.Last = new SocketOptions(layout, values.ToArray(), buffers, filter, groups) { HasUnreadable = hasUnreadable };
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

    private static int Number(ReadOnlySpan<byte> value, int otherwise) => value.Length < sizeof(int) ? otherwise : BitConverter.ToInt32(value);

    private int Number(int level, int number, int otherwise) => Number(_layout.ValueOf(level, number, _values), otherwise);

    // What is as it was is not touched: some options need privileges, and some undo others (SO_TIMESTAMP, SO_TIMESTAMPNS).
    private void Restore(int fd, OptionMoment moment, string? what)
    {
        ReadOnlySpan<SocketOption> options = _layout.Options;
        for (int i = 0; i < options.Length; i++)
        {
            SocketOption option = options[i];
            ReadOnlySpan<byte> value = _layout.ValueOf(i, _values);
            if (value.Length > 0 && option.IsSetAt(moment) && !IsNow(fd, option, value))
            {
                Restore(fd, option, value.ToArray(), what);
            }
        }
    }

    private static bool IsNow(int fd, SocketOption option, ReadOnlySpan<byte> value)
        => SocketCalls.GetBytes(fd, option.Level, option.Number, option.Bytes).AsSpan().SequenceEqual(value);

    private static void Restore(int fd, SocketOption option, byte[] value, string? what)
    {
        int error = SocketCalls.SetBytes(fd, option.Level, option.Number, value);
        if (error < 0 && what is not null)
        {
            RestartStdio.WarnOfProcess($"{what}: the option {option.Name} could not be set again: {Errno.Text(error)}");
        }
    }
}
