namespace Dormouse.Launcher.Restart;

/// <summary>New namespaces for the processes of one original host, or without a pod just these processes.</summary>
/// <param name="Tree">The processes.</param>
/// <param name="MonotonicNanoseconds">Where CLOCK_MONOTONIC goes on.</param>
/// <param name="BootTimeNanoseconds">Where CLOCK_BOOTTIME goes on.</param>
internal sealed record PodPlan(ProcessTree Tree, long MonotonicNanoseconds, long BootTimeNanoseconds);

/// <summary>Where the woken processes find their coordinator.</summary>
/// <param name="Address">Numeric.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Token">The secret of the computation, 32 bytes.</param>
/// <param name="Descriptor">dmrestart's own connection, on which the end of the restart is told, or -1.</param>
/// <param name="Owner">Who would close it when collected.</param>
internal sealed record CoordinatorContact(string Address, ushort Port, byte[] Token, int Descriptor, object? Owner = null);

/// <summary>All that the restorer is told.</summary>
internal sealed record RestartPlan
{
    /// <summary>The pods, at least one.</summary>
    public required IReadOnlyList<PodPlan> Pods { get; init; }

    /// <summary>Whether namespaces are made.</summary>
    public required bool InPod { get; init; }

    /// <summary>Whether that needs user namespaces.</summary>
    public required bool InUserNamespace { get; init; }

    /// <summary>Whether process numbers cannot be chosen, and are waited for.</summary>
    public required bool CountsNumbers { get; init; }

    /// <summary>The coordinator.</summary>
    public required CoordinatorContact Coordinator { get; init; }

    /// <summary>Path of the library that goes into programs which the woken ones start; empty: where it was.</summary>
    public string Library { get; init; } = "";

    /// <summary>Random number of this run.</summary>
    public required ulong Session { get; init; }

    /// <summary>Whether files that cannot be rolled back are taken as they are.</summary>
    public bool AcceptChangedFiles { get; init; }

    /// <summary>Whether the members say nothing but errors.</summary>
    public bool Quiet { get; init; }

    /// <summary>Whether what they say begins with the name of this host: its user is on another one.</summary>
    public bool NamesHost { get; init; }

    /// <summary>A descriptor number above all that the programs have.</summary>
    public required int HighDescriptor { get; init; }
}
