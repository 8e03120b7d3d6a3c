using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>Says which thread could not be suspended, and why.</summary>
internal static class SuspendProblem
{
    private const int VFork = 58;

    public static string Describe(SuspendFailure failure, int seconds)
    {
        if (failure.ZombieLeader != 0)
        {
            return "its main thread has ended (pthread_exit) while other threads go on, which cannot be restored yet. Let the main thread wait for the others.";
        }

        string thread = failure.Tid.ToString(CultureInfo.InvariantCulture);
        string state = ProcFile.StatFields("/proc/self/task/" + thread + "/stat") is [string letter, ..] ? letter : "?";
        string where = failure.CallNumber == VFork ? "in vfork, waiting for its child to exec" : state == "D" ? "in an uninterruptible wait (state D)" : "in state " + state;
        return $"thread {thread} could not be suspended within {seconds} s: it is {where}. Try again when it has gone on.";
    }
}
