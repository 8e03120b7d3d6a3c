using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>The other end of a connection, as the state of the computation sees it: somebody to send to.</summary>
internal abstract class Peer
{
    private protected MessageWriter _outgoing = new(256);

    public void Send<T>(in T message)
        where T : struct, IMessage<T>
    {
        Frame.Append(ref _outgoing, message);
        OnQueued();
    }

    /// <summary>Sends what is queued, then closes. The computation hears of it through <see cref="Computation.Lost"/>, not at once.</summary>
    public abstract void CloseWhenSent();

    /// <summary>Something was queued; to be sent when the current event has been dealt with.</summary>
    protected abstract void OnQueued();
}
