// World: Frozen (read), restored process (look up).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The options that sockets of one kind have on this kernel, and where each of their values lies among all of them.</summary>
internal sealed unsafe class SocketOptionLayout
{
    private const byte Absent = 255; // DM_OPTION_ABSENT
    private static readonly List<SocketOptionLayout> s_known = [];
    private readonly SocketIdentity _kind;
    private readonly bool _isConnected;
    private readonly SocketOption[] _options;
    private readonly SocketOptionCall[] _calls;

    private SocketOptionLayout(SocketIdentity kind, bool isConnected, List<SocketOption> options)
    {
        _kind = kind;
        _isConnected = isConnected;
        _options = options.ToArray();
        _calls = new SocketOptionCall[_options.Length];
        for (int i = 0; i < _calls.Length; i++)
        {
            SocketOption option = _options[i];
            byte covered = option.Moment == OptionMoment.Summary ? CoveredFrom(i + 1) : (byte)0;
            _calls[i] = new SocketOptionCall(option.Level, option.Number, (ushort)Bytes, (byte)option.Bytes, covered);
            Bytes += 1 + option.Bytes;
        }
    }

    public ReadOnlySpan<SocketOption> Options => _options;

    /// <summary>Of all lengths and values.</summary>
    public int Bytes { get; }

    /// <summary>The options of the socket of this kind that was looked at last.</summary>
    public SocketOptions? Last { get; set; }

    /// <summary>The layout for <paramref name="fd"/>; made of the first socket of its kind, since the others know the same options.</summary>
    public static SocketOptionLayout Of(int fd, SocketIdentity kind, bool isConnected)
    {
        foreach (SocketOptionLayout known in s_known)
        {
            if (known._kind == kind && known._isConnected == isConnected)
            {
                return known;
            }
        }

        var options = new List<SocketOption>();
        foreach (SocketOption[] table in SocketOptionTable.Of(kind.Domain, kind.Protocol, isConnected))
        {
            options.AddRange(table);
        }

        var all = new SocketOptionLayout(kind, isConnected, options);
        byte[] values = new byte[all.Bytes];
        all.Read(fd, values);
        for (int i = options.Count - 1; i >= 0; i--)
        {
            if (values[all._calls[i].At] == Absent)
            {
                options.RemoveAt(i);
            }
        }

        var layout = new SocketOptionLayout(kind, isConnected, options);
        s_known.Add(layout);
        return layout;
    }

    /// <summary>At the beginning of a checkpoint: this may be another kernel than at the last one.</summary>
    public static void Forget() => s_known.Clear();

    /// <param name="values">Zeros.</param>
    public void Read(int fd, Span<byte> values)
    {
        fixed (SocketOptionCall* calls = _calls)
        fixed (byte* at = values)
        {
            Shim.ReadSocketOptions(fd, calls, (uint)_calls.Length, at);
        }
    }

    /// <summary>Empty when it could not be read.</summary>
    public ReadOnlySpan<byte> ValueOf(int index, ReadOnlySpan<byte> values)
    {
        ReadOnlySpan<byte> value = values[_calls[index].At..];
        return value[0] == Absent ? [] : value.Slice(1, value[0]);
    }

    /// <summary>The same for one option; empty, too, when these sockets do not have it.</summary>
    public ReadOnlySpan<byte> ValueOf(int level, int number, ReadOnlySpan<byte> values)
    {
        for (int i = 0; i < _calls.Length; i++)
        {
            if (_calls[i].Number == number && _calls[i].Level == level)
            {
                return ValueOf(i, values);
            }
        }

        return [];
    }

    private byte CoveredFrom(int index)
    {
        byte count = 0;
        while (index + count < _options.Length && _options[index + count].Moment == OptionMoment.Covered)
        {
            count++;
        }

        return count;
    }
}
