using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>A checkpoint that could not be taken at this instant, and is tried again after the programs have run on.</summary>
/// <param name="Client">Who asked for it and still listens.</param>
/// <param name="Command">What was asked for.</param>
/// <param name="Generation">Its number: no image has it yet.</param>
/// <param name="FirstTried">When it was begun for the first time.</param>
/// <param name="Due">When it is tried again.</param>
internal sealed record Postponed(Peer? Client, CheckpointCommand Command, uint Generation, TimeSpan FirstTried, TimeSpan Due)
{
    /// <summary>Long enough for a server to accept a connection; short enough for who waits for the checkpoint.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>The same once more, or null when it has been tried long enough.</summary>
    public static Postponed? After(CheckpointRound round, TimeSpan now)
        => now - round.FirstTried > s_patience ? null : new(round.Client, round.Command, round.Generation, round.FirstTried, now + s_pause);
}
