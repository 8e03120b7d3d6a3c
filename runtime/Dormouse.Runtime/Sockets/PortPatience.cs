// World: restored process.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>How long it is worth trying to get a port that is in use.</summary>
/// <remarks>
/// Another member may have it for a moment, to make its own connections. And an ended connection that was not marked for reuse (SO_REUSEADDR: a
/// stranger's, or one that ended before the first checkpoint) keeps it for a minute: TCP_TIMEWAIT_LEN of the kernel. Who may administrate
/// the network need not wait for that.
/// </remarks>
/// <param name="what">That wants it, for messages.</param>
/// <param name="isTcp">Ended connections are of no other protocol.</param>
internal sealed class PortPatience(string what, bool isTcp = true)
{
    private const int MomentMilliseconds = 3000, MinuteMilliseconds = 65000, RetryMilliseconds = 20, RareRetryMilliseconds = 500;
    private readonly long _start = Kernel.Clock(Constant.CLOCK_MONOTONIC);
    private bool _hasBegun, _hasSaid;

    /// <summary>Waits a little and says whether to try again.</summary>
    /// <param name="addresses">Whose ports are wanted.</param>
    public bool TryAgain(params ReadOnlySpan<byte[]> addresses)
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            if (End(addresses))
            {
                return true;
            }
        }

        long waited = (Kernel.Clock(Constant.CLOCK_MONOTONIC) - _start) / 1_000_000;
        if (waited < MomentMilliseconds)
        {
            Kernel.Sleep(RetryMilliseconds);
            return true;
        }

        foreach (byte[] address in addresses)
        {
            if (isTcp && waited < MinuteMilliseconds && EndedConnections.Hold(address))
            {
                Say(address);
                Kernel.Sleep(RareRetryMilliseconds);
                return true;
            }
        }

        return false;
    }

    private bool End(ReadOnlySpan<byte[]> addresses)
    {
        bool hasEnded = false;
        foreach (byte[] address in addresses)
        {
            hasEnded |= isTcp && EndedConnections.End(address);
        }

        return hasEnded;
    }

    private void Say(byte[] address)
    {
        if (!_hasSaid)
        {
            RestartStdio.Warn($"{what}: waiting, a minute at most, until the kernel releases {SocketName.Text(address)}, the port of a connection that has just ended");
            _hasSaid = true;
        }
    }
}
