// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A listening socket, TCP or AF_UNIX: its name and its backlog.</summary>
internal sealed class ListeningSocket(DescriptorInfo info, UnixDiagnosis diagnosis) : UnboundSocket(info)
{
    private const int ReuseAddress = 2;

    public override string Kind => "listener";

    public override string Description => $"{Info.Link} listening on {SocketName.Text(LocalAddress)}";

    /// <summary>Connections that wait to be accepted hold bytes that nobody can look at.</summary>
    public int Waiting => diagnosis.Waiting;

    public override void Capture()
    {
        base.Capture();
        if (Domain is Constant.AF_INET or Constant.AF_INET6)
        {
            // As for connections: what it accepts inherits the mark, and its port can be bound again at once.
            SocketCalls.SetInt(Info.Fd, Constant.SOL_SOCKET, ReuseAddress, 1);
        }

        if (Waiting > 0)
        {
            throw new CheckpointException($"{Name}, listening on {SocketName.Text(LocalAddress)}, has {Waiting} connections waiting that the program does not accept, and nobody can look at what is in them. Try again when it does.") { IsPassing = true };
        }
    }

    public override void Fill(uint self, DescriptorExchange exchange)
    {
        base.Fill(self, exchange);
        if (Keeper == self)
        {
            SocketCalls.Listen(Descriptors[0].Fd, diagnosis.Backlog);
        }
    }
}
