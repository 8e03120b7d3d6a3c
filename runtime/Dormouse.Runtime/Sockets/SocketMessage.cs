// World: Frozen (peek), restored process (send).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Files;

namespace Dormouse.Runtime.Sockets;

/// <summary>What one recvmsg(2) would give: a message, or a piece of a stream.</summary>
internal sealed class SocketMessage(CapturedBytes bytes, byte[] sender)
{
    public CapturedBytes Bytes => bytes;

    /// <summary>struct sockaddr of who sent it; empty when it has no name.</summary>
    public byte[] Sender => sender;

    /// <summary>One byte, sent with MSG_OOB: tcp(7).</summary>
    public bool IsUrgent { get; init; }

    /// <summary>Descriptors that come with it (SCM_RIGHTS): numbers of ours, open as long as the checkpoint looks at them.</summary>
    public int[] Peeked { get; init; } = [];

    /// <summary>The same as descriptions, once the table knows them.</summary>
    public OpenFile[] Carried { get; set; } = [];

    /// <summary>Process, user and group of the sender (SCM_CREDENTIALS), where the receiver has asked for them; all 0 else.</summary>
    public SenderCredentials Credentials { get; init; }
}

/// <summary>struct ucred, unix(7).</summary>
internal readonly record struct SenderCredentials(int Pid, uint User, uint Group)
{
    public bool IsKnown => Pid != 0;
}
