namespace Dormouse.Launcher.Coordinators;

internal enum CoordinatorMode
{
    /// <summary>One that answers, or a new one.</summary>
    Any,

    /// <summary>One that answers, or fail.</summary>
    Join,

    /// <summary>A new one.</summary>
    New,
}

/// <summary>Which coordinator somebody wants.</summary>
internal sealed record CoordinatorRequest
{
    public CoordinatorMode Mode { get; init; }

    /// <summary>Null: not said.</summary>
    public string? Host { get; init; }

    /// <summary>Null: not said. 0: one that the kernel picks.</summary>
    public int? Port { get; init; }

    /// <summary>Receives the port, as text.</summary>
    public string? PortFile { get; init; }

    /// <summary>For a new one: it ends with its last process, so that nobody has to clear up.</summary>
    public bool ExitOnLast { get; init; } = true;

    /// <summary>For a new one: more options of dmcoordinator.</summary>
    public IReadOnlyList<string> StartOptions { get; init; } = [];
}
