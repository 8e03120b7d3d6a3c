using Dormouse.Protocol;

namespace Dormouse.Coordinator;

/// <summary>How long each phase may take, before the checkpoint or restart is given up. What moves memory to or from a disk gets long.</summary>
public sealed record Deadlines
{
    public TimeSpan Suspend { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(20);

    public TimeSpan Disk { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan Commit { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan Reconnect { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long members may take to end after they were told to.</summary>
    public TimeSpan Kill { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a process that seems to be in the middle of an exec may take to come back.</summary>
    public TimeSpan Exec { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a program may take from dmlaunch to its main(): it may be large, and on a slow file system.</summary>
    public TimeSpan Launch { get; init; } = TimeSpan.FromSeconds(8);

    public TimeSpan Of(Phase phase, bool restarting) => phase switch
    {
        Phase.Suspend => Suspend,
        Phase.Drain => Drain,
        Phase.Write => Disk,
        Phase.Resume => restarting ? Reconnect : Disk,
        Phase.Commit => Commit,
        Phase.Memory => Disk,
        Phase.Reopen or Phase.Reconnect or Phase.Refill => Reconnect,
        _ => Timeout.InfiniteTimeSpan,
    };
}
