using Dormouse.Coordinator.Host;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>One process of the computation, and how far it is.</summary>
internal sealed class Member(uint id, MemberHello hello, Peer peer)
{
    public uint Id { get; } = id;

    public MemberHello Hello { get; } = hello;

    public Peer Peer { get; } = peer;

    public ProcessIdentity Identity => new(Hello.HostId, Hello.Pid);

    /// <summary>Its PID for the user of the coordinator's host; 0: not known there, null: not looked for yet.</summary>
    public int? HostPid { get; set; }

    /// <summary>It cannot answer until somebody continues it, as far as that can be seen from here.</summary>
    public bool IsStopped => HostPid is > 0 and int pid && LocalProcess.IsStopped(pid);

    public Progress Progress { get; set; }

    /// <summary>PIDs of its children, of its last <see cref="Suspended"/>.</summary>
    public int[] Children { get; set; } = [];

    /// <summary>It was told about unknown children and will send <see cref="Suspended"/> again.</summary>
    public bool LooksAgain { get; set; }

    public InventoryItem[] Inventory { get; set; } = [];

    /// <summary>Those of <see cref="Inventory"/> that are connections through the network.</summary>
    public ConnectionEnd[] Ends { get; set; } = [];

    public ImageWritten Image { get; set; }

    /// <summary>We have created its image, as it could not, and rename it for it.</summary>
    public bool HasImageOfOurs { get; set; }

    /// <summary>Said to be told apart by a person: "pid 4711 (make) on node3".</summary>
    public override string ToString() => $"pid {Hello.Pid} ({Hello.Program}) on {Hello.HostName}";

    public void BeginRound()
    {
        Progress = Progress.None;
        LooksAgain = false;
        Children = [];
        (Inventory, Ends) = ([], []);
        Image = default;
        HasImageOfOurs = false;
    }
}
