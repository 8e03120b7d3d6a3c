using System.Text;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Makes keys of what the kernel shows. Keys of different hosts differ, since inode numbers mean nothing across hosts.</summary>
internal static class ObjectKeys
{
    private static ulong s_host, s_network;

    /// <summary>Key of whatever stat(2) tells apart, with the open flags and offset, which are the same for all holders of a description.</summary>
    public static ResourceKey OfFile(DescriptorInfo info, string kind)
        => new(
            Host ^ Hash(kind) ^ (info.Status.Device << 20) ^ (uint)info.Flags,
            info.Status.Inode ^ ((ulong)info.Position << 24));

    /// <summary>Key of an object with an inode of its own: pipes, sockets, shared memory.</summary>
    public static ResourceKey OfInode(string kind, ulong device, ulong inode) => new(Host ^ Hash(kind) ^ device, inode);

    /// <summary>This host, or pod, in the half of a word: where <see cref="DescriptorExchange"/> reaches.</summary>
    public static uint HostMark => (uint)(Host ^ (Host >> 32));

    /// <summary>Where a loopback address is the same one.</summary>
    public static ulong Network => s_network != 0 ? s_network : s_network = Hash(HostIdentity.Network) | 1;

    private static ulong Host
    {
        get
        {
            if (s_host == 0)
            {
                s_host = Hash(HostIdentity.Id) | 1;
            }

            return s_host;
        }
    }

    /// <summary>FNV-1a.</summary>
    public static ulong Hash(string text) => Hash(KernelText.ToBytes(text));

    public static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return hash;
    }

    /// <summary>After a restart the process lives on another host, or in a pod.</summary>
    public static void ForgetHost() => (s_host, s_network) = (0, 0);
}
