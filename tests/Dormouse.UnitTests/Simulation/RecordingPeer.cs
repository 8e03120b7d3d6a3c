using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.UnitTests.Simulation;

/// <summary>A peer that keeps what it is sent.</summary>
internal sealed class RecordingPeer : Peer
{
    private readonly FrameBuffer _received = new();

    public bool IsClosed { get; private set; }

    /// <summary>Everything sent since the last call.</summary>
    public List<ReceivedFrame> Take()
    {
        _outgoing.Written.CopyTo(_received.Space(_outgoing.Length).Span);
        _received.Advance(_outgoing.Length);
        _outgoing.Clear();
        List<ReceivedFrame> frames = [];
        while (_received.TryTake(out FrameKind kind, out ReadOnlySpan<byte> payload)) frames.Add(new(kind, payload.ToArray()));
        return frames;
    }

    /// <summary>The only message of this kind among those sent since the last call.</summary>
    public T TakeOne<T>()
        where T : struct, IMessage<T>
    {
        List<ReceivedFrame> frames = Take();
        Assert.That(frames.Select(frame => frame.Kind), Has.Exactly(1).EqualTo(T.Kind));
        return frames.Single(frame => frame.Kind == T.Kind).As<T>();
    }

    public override void CloseWhenSent() => IsClosed = true;

    protected override void OnQueued()
    {
    }
}

internal sealed record ReceivedFrame(FrameKind Kind, byte[] Payload)
{
    public T As<T>()
        where T : struct, IMessage<T> => Frame.Read<T>(Payload);
}
