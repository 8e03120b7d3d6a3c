using System;

namespace Dormouse.Runtime;

/// <summary>A checkpoint or restart cannot be done; the message is one sentence for the user: what, why, what to do.</summary>
internal sealed class CheckpointException(string message) : Exception(message)
{
    /// <summary>It will work when the programs have run on for some milliseconds.</summary>
    public bool IsPassing { get; init; }
}
