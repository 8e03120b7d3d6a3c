using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.State;

/// <summary>Which ends of connections through address translation are found to belong together: docs/decisions/0024.</summary>
internal sealed class PairingTests
{
    private SimulatedNetwork _network = null!;

    [SetUp]
    public void SetUp() => _network = new SimulatedNetwork();

    [TearDown]
    public void TearDown() => _network.Dispose();

    [Test]
    public void IdleConnections_FindTheirOtherEnds([Values(1, 2, 7, 200)] int count)
    {
        for (int i = 0; i < count; i++) _network.Connect("client", "server");
        _network.ConnectOutside("client", EndFlags.Connected);
        _network.ConnectOutside("server", EndFlags.Accepted);

        _network.Checkpoint();

        _network.AssertAllAreFound();
        Assert.That(_network.Probes, Is.GreaterThan(0));
    }

    [Test]
    public void WhatIsKnown_IsNotAskedAgain()
    {
        for (int i = 0; i < 5; i++) _network.Connect("client", "server");
        _network.ConnectOutside("client", EndFlags.Connected);
        _network.ConnectOutside("server", EndFlags.Accepted);
        _network.Checkpoint();
        int before = _network.Probes;

        _network.Checkpoint();

        _network.AssertAllAreFound();
        Assert.That(_network.Probes, Is.EqualTo(before));
    }

    [Test]
    public void ConnectionsToTheOutside_CostNothing()
    {
        for (int i = 0; i < 100; i++) _network.ConnectOutside("server", EndFlags.Accepted, received: (uint)i);
        _network.ConnectOutside("client", EndFlags.Connected, received: 7);

        _network.Checkpoint();

        _network.AssertAllAreFound();
        Assert.That(_network.Probes, Is.Zero);
    }

    [Test]
    public void ConnectionsToTheOutside_ThatMirrorEachOther_AreNotTakenForOne()
    {
        _network.ConnectOutside("client", EndFlags.Connected, sent: 3, received: 8);
        _network.ConnectOutside("server", EndFlags.Accepted, sent: 8, received: 3);

        _network.Checkpoint();

        _network.AssertAllAreFound();
        Assert.That(_network.Probes, Is.GreaterThan(0));
    }

    [Test]
    public void DataUnderWay_IsNoHindrance()
    {
        _network.Connect("client", "server", sent: 100, missing: 60);
        _network.Connect("client", "server", sent: 40);

        _network.Checkpoint();

        _network.AssertAllAreFound();
    }

    /// <summary>Two private networks may use the same addresses, down to the port.</summary>
    [Test]
    public void EqualAddresses_OnTwoHosts_AreTwoConnections()
    {
        ResourceKey key = new(70, 1), peer = new(70, 2);
        _network.Connect("client", "server", clientKey: key, clientPeer: peer);
        _network.Connect("other", "server", clientKey: key, clientPeer: peer);
        _network.ConnectOutside("third", EndFlags.Connected, key: key, peer: peer);

        _network.Checkpoint();

        _network.AssertAllAreFound();
    }

    /// <summary>A packet that comes by itself at the wrong time proves nothing.</summary>
    [Test]
    public void StrayPackets_AreNoProof()
    {
        _network.ConnectOutside("client", EndFlags.Connected, isNoisy: true);
        _network.ConnectOutside("server", EndFlags.Accepted);

        _network.Checkpoint();

        _network.AssertAllAreFound();
    }
}
