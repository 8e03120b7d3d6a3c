using System;

namespace Dormouse.Runtime;

/// <summary>A checkpoint or restart cannot be done; the message is one sentence for the user: what, why, what to do.</summary>
internal sealed class CheckpointException(string message) : Exception(message)
{
    /// <summary>It will work when the programs have run on for some milliseconds.</summary>
    public bool IsPassing { get; init; }

    /// <summary>The sentence for what must not happen: the program's user can only tell us.</summary>
    /// <param name="who">Host, pid and program.</param>
    /// <param name="mistake">Its type has no name here: docs/decisions/0018.</param>
    public static string OfMistake(string who, Exception mistake) => $"{who}: an error inside of Dormouse ({mistake.Message}). Please report it.";
}
