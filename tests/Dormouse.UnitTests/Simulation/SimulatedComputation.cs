using Dormouse.Coordinator;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dormouse.UnitTests.Simulation;

/// <summary>A computation with members that exist only as scripts; messages travel when the test says so.</summary>
internal sealed class SimulatedComputation : IDisposable
{
    private readonly List<(RecordingPeer Peer, MemberScript Script)> _members = [];
    private int _nextPid = 1000;

    public SimulatedComputation(Func<CoordinatorOptions, CoordinatorOptions>? change = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("dormouse-unit-").FullName;
        CoordinatorOptions options = new() { Token = new byte[TokenProof.TokenBytes], Directory = Directory };
        State = new Computation(change?.Invoke(options) ?? options, Clock, NullLogger.Instance);
        State.Start();
    }

    public ManualClock Clock { get; } = new();

    public Computation State { get; }

    public string Directory { get; }

    public RecordingPeer Client { get; } = new();

    public MemberHello Hello(string program, string? host = null, string? hostId = null, int? pid = null) => new(
        host ?? OwnHost.Name, hostId ?? "simulated", pid ?? _nextPid++, 1, 1, 0, program, "/bin/" + program, MemberFlags.None, 0, 0, 0);

    public (RecordingPeer Peer, MemberScript Script) Join(MemberScript script)
    {
        RecordingPeer peer = new();
        _members.Add((peer, script));
        State.Join(peer, script.Hello, new byte[TokenProof.ProofBytes]);
        return (peer, script);
    }

    public (RecordingPeer Peer, MemberScript Script) Join(string program) => Join(new MemberScript(Hello(program)) { TouchesFiles = true });

    public void Lose(RecordingPeer peer)
    {
        _members.RemoveAll(member => member.Peer == peer);
        State.Lost(peer);
    }

    public void BeginCheckpoint(bool killAfter = false) => State.BeginCheckpoint(Client, new CheckpointCommand(ImageCodec.Raw, killAfter, ""));

    /// <summary>Delivers messages until nobody has anything to say.</summary>
    public void Settle()
    {
        while (Step())
        {
        }
    }

    /// <summary>Delivers messages until the computation is in this phase.</summary>
    public void SettleUntil(Phase phase)
    {
        while (State.Phase != phase && Step())
        {
        }

        Assert.That(State.Phase, Is.EqualTo(phase));
    }

    public void Wait(TimeSpan time)
    {
        Clock.Advance(time);
        State.Tick();
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    /// <summary>Every member reads what it has and answers; the coordinator reads the answers one by one.</summary>
    private bool Step()
    {
        bool any = false;
        foreach ((RecordingPeer peer, MemberScript script) in _members.ToArray())
        {
            MessageWriter answers = new(64);
            foreach (ReceivedFrame frame in peer.Take())
            {
                any = true;
                script.Respond(frame, ref answers);
            }

            FrameBuffer buffer = new();
            answers.Written.CopyTo(buffer.Space(answers.Length).Span);
            buffer.Advance(answers.Length);
            while (buffer.TryTake(out FrameKind kind, out ReadOnlySpan<byte> payload)) State.Receive(peer, kind, payload);
        }

        return any;
    }
}
