using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>One living process: its PID, and where that counts.</summary>
internal readonly record struct ProcessIdentity(string HostId, int Pid);

/// <summary>A process that has proved itself but is not a member yet.</summary>
internal sealed record Newcomer(Peer Peer, MemberHello Hello, byte[] Proof);
