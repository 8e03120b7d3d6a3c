// World: Frozen, restored process.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Tells the kernel what it is to do, and reads what it says to that: netlink(7).</summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    public const int Routes = 0, SocketDiagnosis = 4, Filter = 12;
    private const int Raw = 3, HeaderBytes = 16, ErrorType = 2, DoneType = 3, AnswerBytes = 32 * 1024;
    private const int UsualSendBuffer = 64 * 1024;
    private readonly int _fd;

    public NetlinkSocket(int protocol)
    {
        _fd = (int)Kernel.Call(SystemCall.Socket, Constant.AF_NETLINK, Raw | Constant.SOCK_CLOEXEC, protocol);
        _fd = _fd < 0 ? _fd : DescriptorNumbers.Raise(_fd);
    }

    /// <summary>Takes one answer, without its struct nlmsghdr.</summary>
    public delegate void Reader(ReadOnlySpan<byte> answer);

    /// <summary>0, or the first error.</summary>
    /// <remarks>The kernel works while we send; its answers are there when that returns.</remarks>
    public int Tell(NetlinkMessages messages, Reader? reader = null)
    {
        if (_fd < 0)
        {
            return _fd;
        }

        byte[] bytes = messages.Finish();
        if (bytes.Length > UsualSendBuffer)
        {
            SocketCalls.SetInt(_fd, Constant.SOL_SOCKET, SocketBuffers.SendForced, bytes.Length);
        }

        fixed (byte* at = bytes)
        {
            long sent = Kernel.Call(SystemCall.SendTo, _fd, (long)at, bytes.Length);
            if (sent < 0)
            {
                return (int)sent;
            }
        }

        int error = 0;
        byte* answer = stackalloc byte[AnswerBytes];
        while ((int)Kernel.Call(SystemCall.RecvFrom, _fd, (long)answer, AnswerBytes, Constant.MSG_DONTWAIT) is >= HeaderBytes and int got)
        {
            for (int from = 0; from + HeaderBytes <= got;)
            {
                int length = Math.Max(*(int*)(answer + from), HeaderBytes);
                int type = *(ushort*)(answer + from + 4);
                if (type == DoneType)
                {
                    // Of a list.
                    return error;
                }

                if (type != ErrorType)
                {
                    reader?.Invoke(new ReadOnlySpan<byte>(answer + from + HeaderBytes, length - HeaderBytes));
                }
                else if (error == 0)
                {
                    error = *(int*)(answer + from + HeaderBytes);
                }

                from += (length + 3) & ~3;
            }
        }

        return error;
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            Kernel.Close(_fd);
        }
    }
}
