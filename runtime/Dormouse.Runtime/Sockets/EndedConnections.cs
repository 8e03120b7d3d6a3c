// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>TCP connections that have ended and that the kernel keeps for a minute (TIME_WAIT): proc_pid_net(5).</summary>
internal static class EndedConnections
{
    private const int LocalName = 1, State = 3;
    private const string TimeWait = "06";

    /// <summary>Whether any of them have that port.</summary>
    /// <param name="address">struct sockaddr_in or sockaddr_in6.</param>
    /// <remarks>There may be living ones beside them, marked for reuse as those that a restart has made, which are in nobody's way.</remarks>
    public static bool Hold(byte[] address)
    {
        string port = ":" + TcpAddress.PortOf(address).ToString("X4", CultureInfo.InvariantCulture);
        foreach (string table in (ReadOnlySpan<string>)["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"])
        {
            foreach (string line in ProcFile.ReadText(table).Split('\n'))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > State && fields[State] == TimeWait && fields[LocalName].EndsWith(port, StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Ends those that have this address, before their minute is over: that is what the kernel's administrator may do (SOCK_DESTROY,
    /// sock_diag(7)).</summary>
    /// <returns>Whether there is one less.</returns>
    public static bool End(byte[] address)
    {
        bool hasEnded = false;
        foreach (int family in (ReadOnlySpan<int>)[Constant.AF_INET, Constant.AF_INET6])
        {
            foreach (InetDiagnosis one in InetDiagnosis.AtPort(family, 1 << TcpState.TimeWait, address.AsSpan(2, 2)))
            {
                hasEnded |= TcpAddress.Covers(address, one.Local) && one.Destroy();
            }
        }

        SocketDiagnosis.Close();
        return hasEnded;
    }
}
