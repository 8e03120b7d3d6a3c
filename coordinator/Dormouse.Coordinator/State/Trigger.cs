namespace Dormouse.Coordinator.State;

/// <summary>What moves a computation from one phase to the next.</summary>
internal enum Trigger
{
    CheckpointRequested,

    /// <summary>All threads of all members stand still, and all children are members.</summary>
    AllSuspended,

    /// <summary>All have captured what was under way between them.</summary>
    AllDrained,

    /// <summary>All images are in their temporary files.</summary>
    AllWritten,

    /// <summary>All images are on the disk.</summary>
    AllSynced,

    /// <summary>All images have their final names.</summary>
    AllCommitted,

    RestartRequested,

    /// <summary>As many restarted members have joined as there are images.</summary>
    AllWoken,

    AllReopened,

    AllReconnected,

    AllRefilled,

    /// <summary>All restarted members run.</summary>
    AllResumed,

    /// <summary>A member was lost or failed, or a deadline has passed.</summary>
    Failed,
}
