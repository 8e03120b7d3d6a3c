// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>What belongs to the process beside memory, threads and descriptors.</summary>
internal sealed class ProcessState
{
    private readonly SignalDispositions _signals = SignalDispositions.Capture();
    private readonly IntervalTimers _timers = IntervalTimers.Capture();
    private readonly ResourceLimits _limits = ResourceLimits.Capture();

    public ProcessAttributes Attributes { get; } = ProcessAttributes.Capture();

    public static ProcessState Capture() => new();

    /// <summary>Before the descriptors come back: directory and limits decide about them.</summary>
    public void RestoreSurroundings()
    {
        Attributes.Restore();
        _limits.Restore();
    }

    /// <summary>Last, right before the threads go on.</summary>
    public void RestoreSignals()
    {
        _signals.Restore();
        _timers.Restore();
    }
}
