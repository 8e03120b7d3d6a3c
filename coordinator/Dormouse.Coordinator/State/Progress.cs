namespace Dormouse.Coordinator.State;

/// <summary>The last thing that a member has finished in the current checkpoint or restart.</summary>
internal enum Progress
{
    None,

    // Of a checkpoint, in this order.
    Suspended,
    Listed,
    Drained,
    Written,
    Synced,
    Committed,

    // Of a restart, in this order.
    Reopened,
    Reconnected,
    Refilled,
    Resumed,
}
