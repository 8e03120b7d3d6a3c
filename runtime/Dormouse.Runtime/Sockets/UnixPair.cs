// World: restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Makes an AF_UNIX connection within one process whose ends have the names that getpeername(2) showed.</summary>
internal static class UnixPair
{
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
        using Turn turn = Turn.Await(SocketName.Text(far));
        SocketPlace place = SocketPlace.Of(far);
        int listener = SocketCalls.Create(Constant.AF_UNIX, type, 0);
        SocketName.Bind(listener, Constant.AF_UNIX, far, "an AF_UNIX connection");
        int client = SocketCalls.Create(Constant.AF_UNIX, type, 0);
        SocketName.Bind(client, Constant.AF_UNIX, near, "an AF_UNIX connection");
        int error = SocketCalls.Listen(listener, 1);
        error = error < 0 ? error : SocketName.Connect(client, far);
        int server = error < 0 ? error : SocketCalls.Accept(listener);
        Kernel.Close(listener);
        place.RemoveAgain();
        if (server < 0)
        {
            Kernel.Close(client);
            return (server, -1);
        }

        return (client, server);
    }
}
