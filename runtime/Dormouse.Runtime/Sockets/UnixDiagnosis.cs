// World: Frozen, restored process. include/uapi/linux/unix_diag.h.
using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What only sock_diag tells about an AF_UNIX socket.</summary>
/// <param name="PeerInode">The connected socket, or 0: none, or one that nobody has accepted.</param>
/// <param name="Shutdown">1 receiving, 2 sending is shut down.</param>
/// <param name="Backlog">Of a listening socket.</param>
/// <param name="Waiting">Of a listening socket: the inodes of those who wait to be accepted, first come first; 0 for one that has gone.</param>
/// <param name="Name">struct sockaddr_un; empty when it has none.</param>
internal readonly record struct UnixDiagnosis(uint PeerInode, byte Shutdown, int Backlog, uint[] Waiting, byte[] Name)
{
    private static readonly UnixDiagnosis s_unknown = new(0, 0, 0, [], []);
    private const uint ShowName = 1, ShowPlace = 2, ShowPeer = 4, ShowQueue = 16, ShowWaiting = 8;
    private const int AttributeName = 0, AttributePlace = 1, AttributePeer = 2, AttributeWaiting = 3, AttributeQueue = 4, AttributeShutdown = 6;
    private const int AnswerBytes = 16;

    /// <summary>Asks about the socket with this inode; default when the kernel does not tell.</summary>
    public static UnixDiagnosis Of(ulong inode)
    {
        // struct unix_diag_req: u8 family, protocol, u16 pad, u32 states, inode, show, cookie[2].
        Span<uint> request = [Constant.AF_UNIX, uint.MaxValue, (uint)inode, ShowName | ShowPeer | ShowQueue | ShowWaiting, uint.MaxValue, uint.MaxValue];
        UnixDiagnosis found = s_unknown;
        SocketDiagnosis.Ask(MemoryMarshal.AsBytes(request), answer => found = Read(answer));
        return found;
    }

    /// <summary>Whether a socket that is not closed has this file as its name.</summary>
    /// <param name="inode">Of the file. Its device is another one to the kernel than to stat(2) on some file systems.</param>
    /// <param name="path">Of the file; sockets may have been bound to a relative one.</param>
    public static bool IsBoundTo(ulong inode, string path)
    {
        Span<uint> request = [Constant.AF_UNIX, uint.MaxValue, 0, ShowName | ShowPlace, uint.MaxValue, uint.MaxValue];
        byte[] name = KernelText.ToBytes(path[(path.LastIndexOf('/') + 1)..]);
        bool isBound = false;
        SocketDiagnosis.List(MemoryMarshal.AsBytes(request), answer => isBound |= HasPlace(answer, (uint)inode, name));
        return isBound;
    }

    private static bool HasPlace(ReadOnlySpan<byte> answer, uint inode, byte[] name)
    {
        bool isThere = false, hasName = false;
        var attributes = new NetlinkAttributes(answer[Math.Min(AnswerBytes, answer.Length)..]);
        while (attributes.Next())
        {
            ReadOnlySpan<byte> value = attributes.Value;
            isThere |= attributes.Type == AttributePlace && BitConverter.ToUInt32(value) == inode; // struct unix_diag_vfs
            hasName |= attributes.Type == AttributeName && value.TrimEnd((byte)0).EndsWith(name);
        }

        return isThere && hasName;
    }

    // struct unix_diag_msg, then attributes.
    private static UnixDiagnosis Read(ReadOnlySpan<byte> answer)
    {
        UnixDiagnosis result = s_unknown;
        var attributes = new NetlinkAttributes(answer[Math.Min(AnswerBytes, answer.Length)..]);
        while (attributes.Next())
        {
            ReadOnlySpan<byte> value = attributes.Value;
            result = attributes.Type switch
            {
                AttributeName => result with { Name = [Constant.AF_UNIX, 0, .. value] },
                AttributePeer => result with { PeerInode = BitConverter.ToUInt32(value) },
                AttributeWaiting => result with { Waiting = MemoryMarshal.Cast<byte, uint>(value).ToArray() },
                AttributeQueue => result with { Backlog = BitConverter.ToInt32(value[4..]) },
                AttributeShutdown => result with { Shutdown = value[0] },
                _ => result,
            };
        }

        return result;
    }
}
