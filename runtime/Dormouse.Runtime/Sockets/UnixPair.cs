// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Makes an AF_UNIX connection within one process whose ends have the names that getpeername(2) showed.</summary>
internal static class UnixPair
{
    private const int DeadlineMilliseconds = 10000;

    /// <summary>As socketpair(2), but the far end is one accepted at <paramref name="far"/>; either name may be empty, not both.</summary>
    /// <returns>The two ends, the near one first; or -errno and -1.</returns>
    public static (int Near, int Far) Make(int type, byte[] near, byte[] far)
    {
        if (!SocketName.IsBound(Constant.AF_UNIX, far))
        {
            (int farFirst, int nearSecond) = Make(type, far, near);
            return farFirst < 0 ? (farFirst, -1) : (nearSecond, farFirst);
        }

        // Another member may do the same for the same server: one at a time has its name.
        int turn = AwaitTurn(far);
        int listener = SocketCalls.Create(Constant.AF_UNIX, type, 0);
        SocketName.Bind(listener, Constant.AF_UNIX, far, "an AF_UNIX connection");
        int client = SocketCalls.Create(Constant.AF_UNIX, type, 0);
        SocketName.Bind(client, Constant.AF_UNIX, near, "an AF_UNIX connection");
        int error = SocketCalls.Listen(listener, 1);
        error = error < 0 ? error : SocketCalls.Connect(client, far);
        int server = error < 0 ? error : SocketCalls.Accept(listener);
        Kernel.Close(listener);
        Kernel.Close(turn);
        if (server < 0)
        {
            Kernel.Close(client);
            return (server, -1);
        }

        return (client, server);
    }

    private static int AwaitTurn(byte[] name)
    {
        string turn = "dormouse-turn-" + ObjectKeys.Hash(SocketName.Text(name)).ToString("x16", CultureInfo.InvariantCulture);
        byte[] address = [Constant.AF_UNIX, 0, 0, .. System.Text.Encoding.ASCII.GetBytes(turn)];
        int fd = SocketCalls.Create(Constant.AF_UNIX, Constant.SOCK_DGRAM, 0);
        for (int waited = 0; SocketCalls.Bind(fd, address) < 0 && waited < DeadlineMilliseconds; waited++)
        {
            Kernel.Sleep(1);
        }

        return fd;
    }
}
