// World: Guest.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>
/// An image file that the coordinator opens for us, since we may not create it: the program has become another user than the one
/// who has started it. The descriptor comes through a datagram socket with a name that only the coordinator is told.
/// </summary>
internal sealed unsafe class BorrowedImageFile : IDisposable
{
    private const int PassCredentials = 16; // SO_PASSCRED
    private readonly int _socket;

    public BorrowedImageFile(uint epoch, string path)
    {
        ulong channel;
        Kernel.Call(SystemCall.GetRandom, (long)&channel, sizeof(ulong), 0);
        Request = new ImageFileWanted(epoch, path, channel);
        _socket = DescriptorNumbers.Raise(SocketCalls.Create(Constant.AF_UNIX, Constant.SOCK_DGRAM, 0));
        SocketCalls.SetInt(_socket, Constant.SOL_SOCKET, PassCredentials, 1);
        byte[] address = SocketCalls.AbstractAddress(Request.ChannelName);
        fixed (byte* at = address)
        {
            Kernel.Call(SystemCall.Bind, _socket, (long)at, address.Length);
        }
    }

    /// <summary>For the coordinator.</summary>
    public ImageFileWanted Request { get; }

    /// <summary>When the coordinator has said that it is there: the descriptor, or negative. What others than root and ourselves have sent is not it.</summary>
    public int Take()
    {
        int fd;
        while (TryReceive(out fd) && fd < 0)
        {
        }

        return fd;
    }

    private bool TryReceive(out int fd)
    {
        byte nothing;
        byte* control = stackalloc byte[ControlMessages.MostBytes];
        long* vector = stackalloc long[] { (long)&nothing, 1 };
        long* message = stackalloc long[] { 0, 0, (long)vector, 1, (long)control, ControlMessages.MostBytes, 0 };
        fd = -1;
        if (Kernel.Call(SystemCall.RecvMsg, _socket, (long)message, Constant.MSG_DONTWAIT | Constant.MSG_CMSG_CLOEXEC) < 0)
        {
            return false;
        }

        int[] descriptors = ControlMessages.Descriptors(control, message[5]);
        if (descriptors.Length == 1 && IsTrusted(control, message[5]))
        {
            fd = descriptors[0];
            return true;
        }

        foreach (int other in descriptors)
        {
            Kernel.Close(other);
        }

        return true;
    }

    public void Dispose() => Kernel.Close(_socket);

    private static bool IsTrusted(byte* control, long bytes)
        => ControlMessages.TryGetSender(control, bytes, out SenderCredentials sender)
            && (sender.User == 0 || sender.User == (uint)Kernel.Call(SystemCall.GetUid));
}
