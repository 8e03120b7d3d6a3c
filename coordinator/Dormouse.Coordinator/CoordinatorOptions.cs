using System.Net;
using Dormouse.Coordinator.Faults;
using Dormouse.Protocol;

namespace Dormouse.Coordinator;

/// <summary>Everything one can choose about a coordinator.</summary>
public sealed record CoordinatorOptions
{
    public required byte[] Token { get; init; }

    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0: the kernel picks one.</summary>
    public int Port { get; init; } = ProtocolVersion.DefaultPort;

    /// <summary>Absolute; where images go.</summary>
    public required string Directory { get; init; }

    /// <summary>Time between periodic checkpoints; zero: none.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Generations kept on disk, the newest included.</summary>
    public int KeepGenerations { get; init; } = 2;

    public ImageCodec Codec { get; init; } = ImageCodec.Raw;

    /// <summary>End when nobody is connected any more.</summary>
    public bool ExitOnLast { get; init; }

    /// <summary>How long nobody must be connected: an exec breaks the connection for a moment.</summary>
    public TimeSpan ExitLinger { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long to wait for the very first one.</summary>
    public TimeSpan ExitGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The computation's number, or 0 to make one up. Given when this coordinator takes the place of one that died.</summary>
    public ulong Computation { get; init; }

    /// <summary>The first member's number; higher in a coordinator that takes another's place, so that numbers are not given twice.</summary>
    public uint FirstMember { get; init; } = 1;

    public int MaximumConnections { get; init; } = 65536;

    /// <summary>How long a connection may take to prove who it is.</summary>
    public TimeSpan HandshakeDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may leave what is sent to it unread.</summary>
    public TimeSpan SendDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How much may wait to be sent to one connection.</summary>
    public int MaximumQueuedBytes { get; init; } = 256 << 20;

    public Deadlines Deadlines { get; init; } = new();

    /// <summary>Where somebody is to be killed, for tests.</summary>
    public FaultPoint? Fault { get; init; }
}
