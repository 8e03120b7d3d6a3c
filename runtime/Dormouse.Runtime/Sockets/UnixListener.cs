// World: Frozen.
using Dormouse.Runtime.Descriptors;

namespace Dormouse.Runtime.Sockets;

/// <summary>A listening AF_UNIX socket, SOCK_STREAM or SOCK_SEQPACKET.</summary>
internal sealed class UnixListener(DescriptorInfo info, UnixDiagnosis diagnosis) : ListeningSocket(info, diagnosis.Backlog)
{
    protected override void FillQueue()
    {
        foreach (uint client in diagnosis.Waiting)
        {
            // Who has connected and closed may have written something: it cannot be seen any more.
            if (client == 0)
            {
                throw Unreadable(diagnosis.Waiting.Length);
            }

            ResourceKey key = ObjectKeys.OfInode("socket", 0, client);
            ResourceKey server = ObjectKeys.OfInode("waiting", 0, client);
            Queue.Add(new AcceptQueue.Entry(key, server, UnixDiagnosis.Of(client).Name, LocalAddress, IsEnded: false));
        }
    }
}
