// World: restored process, all connections made.
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Puts unread data back into connections whose ends are on different hosts: each side gives the other what it has not read, through the
/// connection itself, and sends it back, so that it waits there as before. All connections at once: nobody waits for one of them.
/// </summary>
internal sealed unsafe class RemoteRefill(TcpConnection connection)
{
    private const int PatienceMilliseconds = 10000, HeaderBytes = sizeof(ulong), PieceBytes = 256 * 1024;
    private readonly byte[] _header = BitConverter.GetBytes(connection.UnreadBytes);
    private byte[] _incoming = new byte[HeaderBytes];
    private long _sent, _returned;
    private int _received;
    private bool _knowsLength;

    private bool IsExchanged => _knowsLength && _received == _incoming.Length && _sent == HeaderBytes + connection.UnreadBytes;

    private bool IsDone => IsExchanged && _returned == _incoming.Length;

    public static void Run(List<TcpConnection> connections)
    {
        var all = new List<RemoteRefill>();
        foreach (TcpConnection connection in connections)
        {
            connection.BeginRefill();
            all.Add(new RemoteRefill(connection));
        }

        long quietSince = Kernel.Clock(Constant.CLOCK_MONOTONIC);
        while (all.Exists(one => !one.IsDone))
        {
            bool hasMoved = false;
            foreach (RemoteRefill one in all)
            {
                hasMoved |= one.Step();
            }

            long now = Kernel.Clock(Constant.CLOCK_MONOTONIC);
            if (hasMoved)
            {
                quietSince = now;
            }
            else if (now - quietSince > PatienceMilliseconds * 1_000_000L)
            {
                throw all.Find(one => !one.IsDone)!.TooMuch();
            }
            else
            {
                Kernel.Sleep(1);
            }
        }

        foreach (TcpConnection connection in connections)
        {
            connection.EndRefill();
        }
    }

    private CheckpointException TooMuch()
        => connection.NotMade("its unread data does not get through: net.ipv4.tcp_rmem and net.ipv4.tcp_wmem may be too small, or its other end does not answer", -Errno.TimedOut);

    private bool Step()
    {
        bool hasMoved = false;
        while (_sent < HeaderBytes + connection.UnreadBytes && Send())
        {
            hasMoved = true;
        }

        while (!(_knowsLength && _received == _incoming.Length) && Receive())
        {
            hasMoved = true;
        }

        while (IsExchanged && _returned < _incoming.Length && Return())
        {
            hasMoved = true;
        }

        return hasMoved;
    }

    private bool Send()
    {
        if (_sent < HeaderBytes)
        {
            fixed (byte* at = _header)
            {
                return Count(Write(at + _sent, HeaderBytes - _sent), ref _sent);
            }
        }

        CapturedBytes piece = connection.UnreadFrom(_sent - HeaderBytes);
        return Count(Write(piece.Pointer, piece.Length), ref _sent);
    }

    private bool Receive()
    {
        long got;
        fixed (byte* at = _incoming)
        {
            got = Kernel.Call(SystemCall.RecvFrom, connection.MadeFd, (long)(at + _received), _incoming.Length - _received, Constant.MSG_DONTWAIT);
        }

        if (got is <= 0 and not -Errno.TryAgain)
        {
            throw connection.NotMade("its other end is gone", (int)got);
        }

        _received += (int)Math.Max(got, 0);
        if (!_knowsLength && _received == HeaderBytes)
        {
            (_incoming, _received, _knowsLength) = (new byte[BitConverter.ToInt64(_incoming)], 0, true);
        }

        return got > 0;
    }

    private bool Return()
    {
        fixed (byte* at = _incoming)
        {
            long sent = Write(at + _returned, Math.Min(_incoming.Length - _returned, PieceBytes));
            if (sent == -Errno.TryAgain)
            {
                // With CAP_NET_ADMIN there is no limit; else the buffer grows by itself.
                SocketCalls.SetInt(connection.MadeFd, Constant.SOL_SOCKET, SocketBuffers.SendForced, SocketCalls.GetInt(connection.MadeFd, Constant.SOL_SOCKET, SocketBuffers.Send));
            }

            return Count(sent, ref _returned);
        }
    }

    private long Write(byte* at, long bytes) => Kernel.Call(SystemCall.SendTo, connection.MadeFd, (long)at, bytes, Constant.MSG_DONTWAIT | Constant.MSG_NOSIGNAL);

    private static bool Count(long sent, ref long done)
    {
        done += Math.Max(sent, 0);
        return sent > 0;
    }
}
