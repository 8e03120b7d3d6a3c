namespace Dormouse.Protocol;

/// <summary>What a computation is doing. Checkpoint: Suspend, Drain, Write, Resume, Commit. Restart: Memory, Reopen, Reconnect, Refill, Resume.</summary>
public enum Phase : byte
{
    /// <summary>Nothing is going on.</summary>
    Running = 0,

    /// <summary>Every process stops its threads.</summary>
    Suspend = 1,

    /// <summary>Every process captures what is under way in its pipes and sockets.</summary>
    Drain = 2,

    /// <summary>Every process writes its image to a temporary file.</summary>
    Write = 3,

    /// <summary>Every image gets its final name.</summary>
    Commit = 4,

    /// <summary>Threads run again; after a checkpoint images are synced meanwhile.</summary>
    Resume = 5,

    /// <summary>The restorer makes the processes and fills their memory.</summary>
    Memory = 6,

    /// <summary>Every restarted process opens its own resources again.</summary>
    Reopen = 7,

    /// <summary>Connections between restarted processes are made again.</summary>
    Reconnect = 8,

    /// <summary>Captured bytes go back into pipes and sockets.</summary>
    Refill = 9,
}
