// World: restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>How long it is worth trying to get a port that is in use.</summary>
/// <remarks>
/// Another member may have it for a moment, to make its own connections. But an ended connection that was not marked for reuse (SO_REUSEADDR: a
/// stranger's, or one that ended before the first checkpoint) keeps it for a minute: TCP_TIMEWAIT_LEN of the kernel. Who may administrate
/// the network ends it; others take another port (docs/decisions/0023).
/// </remarks>
/// <param name="isTcp">Ended connections are of no other protocol.</param>
internal sealed class PortPatience(bool isTcp = true)
{
    private const int MomentMilliseconds = 3000, ShortMilliseconds = 200, RetryMilliseconds = 20;
    private readonly long _start = Kernel.Clock(Constant.CLOCK_MONOTONIC);
    private int _milliseconds;

    /// <summary>Waits a little and says whether to try again.</summary>
    /// <param name="addresses">Whose ports are wanted.</param>
    public bool TryAgain(params ReadOnlySpan<byte[]> addresses)
    {
        if (_milliseconds == 0)
        {
            bool hasEnded = false, isHeld = false;
            foreach (byte[] address in addresses)
            {
                hasEnded |= isTcp && EndedConnections.End(address);
                isHeld |= isTcp && EndedConnections.Hold(address);
            }

            _milliseconds = isHeld ? ShortMilliseconds : MomentMilliseconds;
            if (hasEnded)
            {
                return true;
            }
        }

        if ((Kernel.Clock(Constant.CLOCK_MONOTONIC) - _start) / 1_000_000 >= _milliseconds)
        {
            return false;
        }

        Kernel.Sleep(RetryMilliseconds);
        return true;
    }
}
