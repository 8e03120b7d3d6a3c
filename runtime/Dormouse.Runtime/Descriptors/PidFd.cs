// fdinfo "Pid:": the number in our namespace, -1 when the process has ended and was waited for: pidfd_open(2), kernel/fork.c.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>pidfd_open(2): refers to a process, which must be a member of the computation, or its child that has ended.</summary>
internal sealed unsafe class PidFd(DescriptorInfo info) : OpenFile(info)
{
    private const int OpenedForThread = Constant.O_EXCL; // PIDFD_THREAD
    private int _pid;

    public override string Kind => "pidfd";

    public override string Description => "process " + Info.Detail("Pid:");

    // Since Linux 6.9 each process has an inode of its own; before, all share the anonymous one. The process tells them apart as well.
    public override ResourceKey Key => ObjectKeys.OfFile(Info, "pidfd " + Info.Detail("Pid:"));

    public override void Capture()
    {
        _pid = int.Parse(Info.Detail("Pid:"), CultureInfo.InvariantCulture);
        if (_pid == 0)
        {
            throw new CheckpointException($"fd {Info.Fd} (pidfd) refers to a process outside this PID namespace, which cannot be restored. Close it before the checkpoint.");
        }
    }

    public override int Reopen() => _pid > 0 ? Open(_pid) : OpenGone();

    private int Open(int pid)
    {
        int fd = (int)Kernel.Call(SystemCall.PidFdOpen, pid, Info.Flags & (Constant.O_NONBLOCK | OpenedForThread));
        return fd != -Errno.NoProcess
            ? fd
            : throw new CheckpointException($"cannot make fd {Info.Fd} (pidfd) again: process {pid} was not part of the computation. Close it before the checkpoint.");
    }

    // A child that ends at once and is waited for here: the descriptor is what it was, readable and of nobody. Without an exit
    // signal the program hears nothing of it (clone(2)).
    private static int OpenGone()
    {
        const int Clone = 56, Exit = 60, WithDescriptor = 0x1000, WaitForAllKinds = 0x40000000;
        int fd = -1;
        long child = Kernel.Call(Clone, WithDescriptor, 0, (long)&fd);
        if (child == 0)
        {
            Kernel.Call(Exit, 0);
        }

        if (child < 0)
        {
            return (int)child;
        }

        Kernel.Call(SystemCall.Wait4, child, 0, WaitForAllKinds, 0);
        return fd;
    }
}
