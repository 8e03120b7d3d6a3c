// World: Frozen (capture), restored process (restore).
using System;
using System.Runtime.InteropServices;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>What SEM_UNDO takes back when this process ends: struct dm_sem_undo of native-shim/src/sem_undo.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SemaphoreAdjustment
{
    public int Set;
    public int Number;
    public int Adjustment;
    public uint Reserved;
    public long Since;
}

/// <summary>All of them; a restored process does what it had done once more, so that its end takes it back.</summary>
internal sealed unsafe class SemaphoreUndo
{
    private const int Most = 256, Stat = 2, DescriptionWords = 16, ChangedWord = 8; // struct semid64_ds: sem_ctime
    private readonly SemaphoreAdjustment[] _adjustments;

    private SemaphoreUndo(SemaphoreAdjustment[] adjustments) => _adjustments = adjustments;

    /// <exception cref="CheckpointException">It is not certain.</exception>
    public static SemaphoreUndo Capture()
    {
        SemaphoreAdjustment* list = stackalloc SemaphoreAdjustment[Most];
        int count = Shim.SemaphoreUndoList(list);
        if (count < 0)
        {
            throw new CheckpointException("it has changed more than 256 System V semaphores with SEM_UNDO, or more than 16 in one call: what its end would take back cannot be kept. Let it do with fewer.");
        }

        var kept = new List<SemaphoreAdjustment>();
        for (int i = 0; i < count; i++)
        {
            if (IsThere(list[i]))
            {
                kept.Add(list[i]);
            }
        }

        return new SemaphoreUndo(kept.ToArray());
    }

    /// <summary>When the sets have their values: setting these makes the kernel forget all that would be taken back.</summary>
    public void Restore()
    {
        foreach (SemaphoreAdjustment adjustment in _adjustments)
        {
            long error = Do(adjustment.Set, (ushort)adjustment.Number, adjustment.Adjustment);
            if (error < 0)
            {
                RestartStdio.WarnOfProcess($"System V semaphore {adjustment.Number} of set {adjustment.Set}: what the end of the process would take back (SEM_UNDO) is lost: {Errno.Text(error)}");
            }
        }

        const long NanosecondsPerSecond = 1_000_000_000;
        Shim.SemaphoreUndoSince((Kernel.Clock(Constant.CLOCK_REALTIME) / NanosecondsPerSecond) + 1);
    }

    // Gone with its set, or forgotten: then the set has been changed (semctl(2)) since.
    private static bool IsThere(SemaphoreAdjustment adjustment)
    {
        long* description = stackalloc long[DescriptionWords];
        if (Kernel.Call(SystemCall.SemCtl, adjustment.Set, 0, Stat, (long)description) < 0)
        {
            return false;
        }

        if (description[ChangedWord] >= adjustment.Since)
        {
            throw new CheckpointException($"it has changed System V semaphore {adjustment.Number} of set {adjustment.Set} with SEM_UNDO, and the set's values may have been set since (semctl): what its end would take back is not known. Try again when the program has released the semaphore.") { IsPassing = true };
        }

        return true;
    }

    // Two operations that leave the value as it is, of which the end takes one back. First the one that adds: it never waits.
    private static long Do(int set, ushort number, int adjustment)
    {
        const int Undo = 0x1000, NoWait = 0x800, Operations = 2, WordsOfOperation = 3;
        short* operations = stackalloc short[Operations * WordsOfOperation]; // struct sembuf: number, operation, flags
        int first = adjustment > 0 ? 0 : WordsOfOperation, second = WordsOfOperation - first;
        Put(operations + first, number, adjustment, NoWait);
        Put(operations + second, number, -adjustment, NoWait | Undo);
        return Kernel.Call(SystemCall.SemOp, set, (long)operations, Operations);
    }

    private static void Put(short* at, ushort number, int change, int flags)
    {
        (at[0], at[1], at[2]) = ((short)number, (short)change, (short)flags);
    }
}
