// World: Frozen.
namespace Dormouse.Runtime.Image;

/// <summary>While it lasts, our own heap neither collects nor grows, so that the memory map of the process stays as it is.</summary>
internal sealed class HeapStillness : IDisposable
{
    private const long AllocationBytes = 12 << 20;
    private readonly bool _isActive;

    private HeapStillness(bool isActive) => _isActive = isActive;

    public bool IsActive => _isActive;

    /// <summary>Reserves room for what planning an image allocates. Without it (a tight RLIMIT_AS) planning is repeated instead.</summary>
    public static HeapStillness Begin()
    {
        try
        {
            return new HeapStillness(GC.TryStartNoGCRegion(AllocationBytes));
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or InvalidOperationException)
        {
            return new HeapStillness(false);
        }
    }

    public void Dispose()
    {
        if (_isActive && System.Runtime.GCSettings.LatencyMode == System.Runtime.GCLatencyMode.NoGCRegion)
        {
            GC.EndNoGCRegion();
        }
    }
}
