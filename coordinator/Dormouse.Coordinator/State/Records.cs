using Dormouse.Coordinator.Host;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>One living process: its PID, and where that counts.</summary>
internal readonly record struct ProcessIdentity(string HostId, int Pid)
{
    /// <summary>It cannot answer until somebody continues it, as far as that can be seen from here.</summary>
    public bool IsStopped => HostId == OwnHost.Id && LocalProcess.IsStopped(Pid);

    /// <summary>Why it may be silent; to follow a sentence.</summary>
    public string WhySilent => WhySilentIf(IsStopped);

    public static string WhySilentIf(bool isStopped) => isStopped ? " (it is stopped, as by ^Z; continue it first)" : "";
}

/// <summary>A process that has proved itself but is not a member yet.</summary>
internal sealed record Newcomer(Peer Peer, MemberHello Hello, byte[] Proof);
