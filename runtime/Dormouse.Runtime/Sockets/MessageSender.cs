// World: Frozen, restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>sendmsg(2) of what was received once, with what came along. Never waits.</summary>
internal static unsafe class MessageSender
{
    /// <summary>One message; an empty address sends to the connected peer. The bytes sent, or -errno.</summary>
    public static int Send(int fd, SocketMessage message, byte[] address) => SendFrom(fd, message, 0, address);

    /// <summary>What is left of a piece of a stream after <paramref name="done"/> bytes, but not more than <paramref name="most"/>; descriptors go with the first.</summary>
    public static int SendFrom(int fd, SocketMessage message, int done, byte[] address, int most = int.MaxValue)
    {
        int[] descriptors = new int[done == 0 ? message.Carried.Length : 0];
        for (int i = 0; i < descriptors.Length; i++)
        {
            descriptors[i] = message.Carried[i].Descriptors[0].Fd;
        }

        int sent = Send(fd, message, done, most, address, descriptors, message.Credentials);
        // Other credentials than one's own need CAP_SYS_ADMIN: where that is missing the receiver sees ours.
        return sent is -Errno.NotPermitted or -Errno.NoProcess ? Send(fd, message, done, most, address, descriptors, default) : sent;
    }

    private static int Send(int fd, SocketMessage message, int done, int most, byte[] address, int[] descriptors, SenderCredentials credentials)
    {
        byte* control = stackalloc byte[ControlMessages.MostBytes];
        long used = ControlMessages.Add(control, ControlMessages.Add(control, 0, descriptors), credentials);
        fixed (byte* name = address)
        {
            long* vector = stackalloc long[] { (long)(message.Bytes.Pointer + done), Math.Min(message.Bytes.Length - done, most) };
            // struct msghdr: name, its length, iov, iov count, control, its length, flags.
            long* header = stackalloc long[] { (long)name, address.Length, (long)vector, 1, used == 0 ? 0 : (long)control, used, 0 };
            return (int)Kernel.Call(SystemCall.SendMsg, fd, (long)header, Constant.MSG_NOSIGNAL | Constant.MSG_DONTWAIT | (message.IsUrgent ? Constant.MSG_OOB : 0));
        }
    }
}
