// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A classic BPF program that decides what a socket receives: SO_ATTACH_FILTER, socket(7).</summary>
internal sealed unsafe class SocketFilter
{
    private const int Filter = 26 /* SO_ATTACH_FILTER, and to read SO_GET_FILTER */, LockFilter = 44, InstructionBytes = 8;
    private static readonly SocketFilter s_none = new([], false);
    private readonly byte[] _instructions;
    private readonly bool _isLocked;

    private SocketFilter(byte[] instructions, bool isLocked)
    {
        _instructions = instructions;
        _isLocked = isLocked;
    }

    public bool IsNone => _instructions.Length == 0;

    /// <exception cref="CheckpointException">It is an eBPF program, which nobody can read back.</exception>
    public static SocketFilter Capture(int fd)
    {
        // The length is in instructions here: sk_get_filter in net/core/filter.c.
        int count = 0;
        long error = Kernel.Call(SystemCall.GetSockOpt, fd, Constant.SOL_SOCKET, Filter, 0, (long)&count);
        if (error == -Errno.AccessDenied)
        {
            throw new CheckpointException($"fd {fd} has a filter made of an eBPF program (SO_ATTACH_BPF), which cannot be read back. Detach it before the checkpoint.");
        }

        if (error < 0 || count == 0)
        {
            return s_none;
        }

        byte[] instructions = new byte[count * InstructionBytes];
        fixed (byte* at = instructions)
        {
            Kernel.Call(SystemCall.GetSockOpt, fd, Constant.SOL_SOCKET, Filter, (long)at, (long)&count);
        }

        return new SocketFilter(instructions, SocketCalls.GetInt(fd, Constant.SOL_SOCKET, LockFilter) == 1);
    }

    public void Restore(int fd, string what)
    {
        if (IsNone)
        {
            return;
        }

        fixed (byte* at = _instructions)
        {
            // struct sock_fprog: u16 count, pointer.
            long* program = stackalloc long[] { _instructions.Length / InstructionBytes, (long)at };
            long error = Kernel.Call(SystemCall.SetSockOpt, fd, Constant.SOL_SOCKET, Filter, (long)program, 2 * sizeof(long));
            if (error < 0)
            {
                throw new CheckpointException($"{what}: its filter (SO_ATTACH_FILTER) cannot be attached again: {Errno.Text(error)}. Raise net.core.optmem_max and run dmrestart again.");
            }
        }

        if (_isLocked)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, LockFilter, 1);
        }
    }
}
