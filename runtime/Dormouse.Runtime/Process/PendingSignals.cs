// World: Frozen (capture), restored process before its threads run (restore). In the checkpoint thread, which has all signals blocked.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>
/// Signals that wait for the process as a whole (ShdPnd), with all that siginfo_t says. Those of one thread are noted by the thread:
/// native-shim/src/pending.h.
/// </summary>
internal sealed unsafe class PendingSignals
{
    private const int RecordBytes = 128; // SI_MAX_SIZE
    private const int MaskBytes = 8;
    private readonly List<byte[]> _signals = [];

    /// <summary>Notes them and leaves them where they are. No two members can have a signal between them any more.</summary>
    public static PendingSignals Capture()
    {
        Shim.CapturePending();
        var pending = new PendingSignals();
        if (Mask != 0)
        {
            pending.TakeOff();
            pending.PutBack();
        }

        return pending;
    }

    /// <summary>The numbers of the waiting signals, bit 0 for signal 1.</summary>
    public static ulong Mask => ProcessAttributes.StatusMask("ShdPnd:");

    /// <summary>After the dispositions: ignoring a signal empties its queue.</summary>
    public void Restore() => PutBack();

    private void TakeOff()
    {
        ulong all = ulong.MaxValue;
        long* now = stackalloc long[] { 0, 0 };
        for (; ; )
        {
            byte[] record = new byte[RecordBytes];
            fixed (byte* at = record)
            {
                if (Kernel.Call(SystemCall.RtSigTimedWait, (long)&all, (long)at, (long)now, MaskBytes) <= 0)
                {
                    return;
                }
            }

            _signals.Add(record);
        }
    }

    // rt_sigqueueinfo(2) lets nobody but the thread itself speak for the kernel; the number of any thread stands for its process.
    private void PutBack()
    {
        long tid = Kernel.Call(SystemCall.GetTid);
        foreach (byte[] record in _signals)
        {
            fixed (byte* at = record)
            {
                Kernel.Call(SystemCall.RtSigQueueInfo, tid, *(int*)at, (long)at);
            }
        }
    }
}
