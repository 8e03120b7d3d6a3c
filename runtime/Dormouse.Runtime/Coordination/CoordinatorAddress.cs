using System.Globalization;
using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Coordination;

/// <summary>Where the coordinator listens, and the secret of the computation.</summary>
/// <param name="Host">Numeric IPv4 or IPv6 address, or "localhost".</param>
internal sealed record CoordinatorAddress(string Host, ushort Port, byte[] Token)
{
    /// <summary>As in DORMOUSE_COORDINATOR: an IPv6 address stands in brackets.</summary>
    public string HostAndPort => (Host.Contains(':') ? $"[{Host}]" : Host) + ":" + Port.ToString(CultureInfo.InvariantCulture);

    /// <summary>As dmlaunch has put it into the environment; null when that is not usable.</summary>
    public static unsafe CoordinatorAddress? FromEnvironment()
    {
        ShimSelf* self = Shim.Self();
        string address = Text(self->Coordinator);
        int colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            || !TokenProof.TryParseToken(Text(self->Token), out byte[] token))
        {
            return null;
        }

        return new CoordinatorAddress(address[..colon].Trim('[', ']'), port, token);
    }

    /// <summary>As dmrestart has given it to the restorer.</summary>
    public static unsafe CoordinatorAddress FromRestart(RestartInfo* info)
        => new(Text(info->Host), info->Port, new ReadOnlySpan<byte>(info->Token, TokenProof.TokenBytes).ToArray());

    /// <summary>struct sockaddr_in or sockaddr_in6; empty when the host is neither an address nor localhost.</summary>
    public byte[] SocketAddress()
    {
        byte[]? v4 = ParseV4(Host == "localhost" ? "127.0.0.1" : Host);
        if (v4 is not null)
        {
            return [Constant.AF_INET, 0, (byte)(Port >> 8), (byte)Port, .. v4, 0, 0, 0, 0, 0, 0, 0, 0];
        }

        byte[]? v6 = ParseV6(Host);
        return v6 is null ? [] : [Constant.AF_INET6, 0, (byte)(Port >> 8), (byte)Port, 0, 0, 0, 0, .. v6, 0, 0, 0, 0];
    }

    private static unsafe string Text(byte* text)
        => text == null ? "" : KernelText.FromBytes(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static byte[]? ParseV4(string host)
    {
        string[] parts = host.Split('.');
        byte[] address = new byte[4];
        for (int i = 0; i < 4; i++)
        {
            if (parts.Length != 4 || !byte.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out address[i]))
            {
                return null;
            }
        }

        return address;
    }

    private static byte[]? ParseV6(string host)
    {
        int gap = host.IndexOf("::", StringComparison.Ordinal);
        string[] left = (gap < 0 ? host : host[..gap]).Split(':', StringSplitOptions.RemoveEmptyEntries);
        string[] right = gap < 0 ? [] : host[(gap + 2)..].Split(':', StringSplitOptions.RemoveEmptyEntries);
        byte[] address = new byte[16];
        if (left.Length + right.Length > 8 || (gap < 0 && left.Length != 8))
        {
            return null;
        }

        return Fill(left, address, 0) && Fill(right, address, 8 - right.Length) ? address : null;
    }

    private static bool Fill(string[] groups, byte[] address, int first)
    {
        for (int i = 0; i < groups.Length; i++)
        {
            if (!ushort.TryParse(groups[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort group))
            {
                return false;
            }

            address[(first + i) * 2] = (byte)(group >> 8);
            address[((first + i) * 2) + 1] = (byte)group;
        }

        return true;
    }
}
