using Dormouse.Protocol;

namespace Dormouse.UnitTests.Simulation;

/// <summary>One end of a connection, with a kernel that counts.</summary>
internal sealed class SimulatedEnd(EndFlags role, ResourceKey key, ResourceKey peer)
{
    public MemberScript Member { get; set; } = null!;

    public ulong Cookie { get; set; }

    public ResourceKey Key { get; set; } = key;

    public ResourceKey Peer { get; set; } = peer;

    /// <summary>Null: it is outside of the computation.</summary>
    public SimulatedEnd? Other { get; set; }

    public uint Sent { get; init; }

    public uint Outstanding { get; set; }

    public uint Received { get; set; }

    public uint Segments { get; set; }

    /// <summary>Packets come by themselves.</summary>
    public bool IsNoisy { get; init; }

    public EndReport Report => new(Cookie, Sent, Outstanding, Received, Segments, role, 0, 0);

    /// <summary>What the other end could not deliver comes.</summary>
    public void MakeRoom(uint bytes)
    {
        if (Other is null || Other.Outstanding == 0 || bytes < Other.Outstanding) return;
        (Received, Other.Outstanding) = (Received + Other.Outstanding, 0);
    }

    /// <summary>No probe goes out as long as there is data to be sent.</summary>
    public bool Probe()
    {
        if (Outstanding > 0) return false;
        if (Other is not null) Other.Segments++;
        Segments++;
        return true;
    }
}
