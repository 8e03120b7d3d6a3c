// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// The program's descriptors under the same numbers in the checkpoint thread's own table, for the time of a checkpoint: see
/// native-shim/src/own_table.h. Where the table is shared with the program there is nothing to borrow.
/// </summary>
internal sealed unsafe class BorrowedDescriptors
{
    private readonly List<int> _numbers = [];

    /// <summary>True when this thread has a table of its own.</summary>
    public static bool IsNeeded => Shim.Self()->OwnsTable != 0;

    /// <summary>Borrows all of <paramref name="numbers"/>, ascending. None of them may be one of our own.</summary>
    public void Take(List<int> numbers)
    {
        if (!IsNeeded)
        {
            return;
        }

        // Not in the way of the program's numbers, which are all below its limit.
        int process = DescriptorNumbers.MoveOutOf((int)Kernel.Call(SystemCall.PidFdOpen, Kernel.Pid, 0), numbers);
        try
        {
            foreach (int number in numbers)
            {
                TakeOne(process, number);
            }
        }
        finally
        {
            Kernel.Close(process);
        }
    }

    /// <summary>Gives all of them up; also when not all could be taken.</summary>
    public void Release()
    {
        for (int from = 0, next; from < _numbers.Count; from = next)
        {
            for (next = from + 1; next < _numbers.Count && _numbers[next] == _numbers[next - 1] + 1; next++)
            {
            }

            Kernel.Call(SystemCall.CloseRange, _numbers[from], _numbers[next - 1], 0);
        }

        _numbers.Clear();
    }

    private static string Advice(int number)
    {
        ulong hard = DescriptorLimit.OfProgram.Hard;
        return (ulong)number < hard
            ? "Raise the limit of open files (ulimit -n) and try again."
            : $"The program has lowered its hard limit of open files to {hard}, and only root may go above it: let it lower the soft one (ulimit -S -n), or raise the hard one (prlimit --nofile=:{number + 1} --pid {Kernel.Pid}).";
    }

    private void TakeOne(int process, int number)
    {
        // The lowest free number: never above the wanted one, since all lower ones of the program are here already.
        int copy = (int)Kernel.Call(SystemCall.PidFdGetFd, process, number, 0);
        if (copy == -Errno.BadDescriptor)
        {
            return;
        }

        if (copy >= 0 && copy != number)
        {
            int moved = Kernel.Dup3(copy, number, Constant.O_CLOEXEC);
            Kernel.Close(copy);
            copy = moved;
        }

        if (copy < 0)
        {
            throw new CheckpointException($"cannot look at fd {number}: {Errno.Text(copy)}. {Advice(number)}");
        }

        _numbers.Add(number);
    }
}
