// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.SystemV;

namespace Dormouse.Runtime.Process;

/// <summary>What belongs to the process beside memory, threads and descriptors.</summary>
internal sealed class ProcessState
{
    private readonly SignalDispositions _signals = SignalDispositions.Capture();
    private readonly IntervalTimers _timers = IntervalTimers.Capture();
    private readonly ResourceLimits _limits = ResourceLimits.Capture();
    private readonly MemoryBarriers _barriers = MemoryBarriers.Capture();
    private readonly PosixTimers _posixTimers = PosixTimers.Capture();
    private readonly SemaphoreUndo _semaphores = SemaphoreUndo.Capture();

    // Last: a timer that expires in between is noted twice rather than never.
    private readonly PendingSignals _pending = PendingSignals.Capture();

    public ProcessAttributes Attributes { get; } = ProcessAttributes.Capture();

    public static ProcessState Capture() => new();

    /// <summary>First of all.</summary>
    public void RaiseOpenFiles(int floor) => _limits.RaiseOpenFiles(floor);

    /// <summary>Before the descriptors come back: directory and limits decide about them.</summary>
    public void RestoreSurroundings()
    {
        Attributes.Restore();
        _limits.Restore();
        _barriers.Restore();
    }

    /// <summary>Of what is not as it was, while dmrestart can be told.</summary>
    public void Warn() => _limits.Warn();

    /// <summary>When the semaphores of all members have their values again.</summary>
    public void RestoreUndo() => _semaphores.Restore();

    /// <summary>What else can fail, while all members can still be called off.</summary>
    public void RestoreTimers() => _posixTimers.Make();

    /// <summary>What will not survive.</summary>
    public void AddLosses(List<string> losses)
    {
        _posixTimers.AddLosses(losses);
        ProcessAttributes.AddLosses(losses);
    }

    /// <summary>Last, right before the threads go on.</summary>
    public void RestoreSignals()
    {
        _signals.Restore();
        _timers.Restore();
        _posixTimers.Start();
        _pending.Restore();
        LaunchTerminal.Announce();
    }
}
