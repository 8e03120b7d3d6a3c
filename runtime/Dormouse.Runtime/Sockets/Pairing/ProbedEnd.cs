// World: Frozen. The program must find its options unchanged.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.Pairing;

/// <summary>
/// An end whose kernel sends packets without data when we want it to, and only then: keepalive probes (tcp(7)). The other end's kernel
/// answers them; no program notices anything.
/// </summary>
internal sealed class ProbedEnd : IDisposable
{
    private const int KeepAlive = 9, KeepIdle = 4, KeepInterval = 5;
    private const int LongSeconds = 75;
    private readonly int _fd, _keepAlive, _idle, _interval;
    private uint _before;

    /// <summary>From now on the kernel sends no probes by itself.</summary>
    public ProbedEnd(int fd)
    {
        _fd = fd;
        _keepAlive = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, KeepAlive);
        _idle = SocketCalls.GetInt(fd, SocketCalls.InternetTcp, KeepIdle);
        _interval = SocketCalls.GetInt(fd, SocketCalls.InternetTcp, KeepInterval);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, KeepAlive, 0);
        SocketCalls.SetInt(fd, SocketCalls.InternetTcp, KeepInterval, LongSeconds);
    }

    public bool CanProbeNow => EndCounters.Of(_fd).CanProbeNow;

    public bool HasAnswer => EndCounters.Of(_fd).Segments != _before;

    /// <summary>The kernel counts from the last packet that has come when the time is set while probes are switched on, and not when they
    /// are switched on: tcp_sock_set_keepidle_locked, tcp_set_keepalive.</summary>
    public void Probe()
    {
        _before = EndCounters.Of(_fd).Segments;
        SocketCalls.SetInt(_fd, Constant.SOL_SOCKET, KeepAlive, 1);
        SocketCalls.SetInt(_fd, SocketCalls.InternetTcp, KeepIdle, 1);
    }

    /// <summary>No second one: with TCP_USER_TIMEOUT that would end a connection whose peer has not answered the first.</summary>
    public void Stop() => SocketCalls.SetInt(_fd, Constant.SOL_SOCKET, KeepAlive, 0);

    /// <summary>Receives what the other end's kernel still has, as far as there is room.</summary>
    public void Receive(uint missing)
    {
        if (missing > 0)
        {
            uint all = unchecked(EndCounters.Of(_fd).Received + missing);
            TcpDrain.DeliverFrom(_fd, (int)Math.Min(missing, int.MaxValue / 2), () => EndCounters.Of(_fd).Received == all);
            ReceiveBuffer.Acknowledge(_fd);
        }
    }

    public void Dispose()
    {
        SocketCalls.SetInt(_fd, SocketCalls.InternetTcp, KeepIdle, _idle);
        SocketCalls.SetInt(_fd, SocketCalls.InternetTcp, KeepInterval, _interval);
        SocketCalls.SetInt(_fd, Constant.SOL_SOCKET, KeepAlive, _keepAlive);
    }
}
