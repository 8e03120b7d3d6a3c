using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>One living process: its PID, and where that counts.</summary>
internal readonly record struct ProcessIdentity(string HostId, int Pid);

/// <summary>A process that has proved itself but is not a member yet.</summary>
internal sealed record Newcomer(Peer Peer, MemberHello Hello, byte[] Proof);

/// <summary>A process whose connection is gone though it lives.</summary>
internal sealed record Departure(MemberHello Hello, TimeSpan At);

/// <summary>Somebody waits for all members to end.</summary>
internal sealed class Ending(Peer? client, bool quit, TimeSpan deadline, Action whenDone)
{
    public Peer? Client { get; set; } = client;

    public bool Quit { get; } = quit;

    public TimeSpan Deadline { get; } = deadline;

    public void WhenDone()
    {
        if (Client is not null) whenDone();
    }
}
