// World: Frozen, restored process.
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>One process of a host at a time: whoever has the abstract name of an AF_UNIX socket. Also ended by the end of the process.</summary>
internal readonly struct Turn : IDisposable
{
    private const int DeadlineMilliseconds = 10000;
    private readonly int _fd;

    private Turn(int fd) => _fd = fd;

    /// <summary>Waits for the turn at <paramref name="what"/>; goes on without it when nobody else seems to let go.</summary>
    public static Turn Await(string what)
    {
        string name = "dormouse-turn-" + ObjectKeys.Hash(what).ToString("x16", CultureInfo.InvariantCulture);
        byte[] address = SocketCalls.AbstractAddress(name);
        int fd = SocketCalls.Create(Constant.AF_UNIX, Constant.SOCK_DGRAM, 0);
        for (int waited = 0; SocketCalls.Bind(fd, address) < 0 && waited < DeadlineMilliseconds; waited++)
        {
            Kernel.Sleep(1);
        }

        return new Turn(fd);
    }

    public void Dispose() => Kernel.Close(_fd);
}
