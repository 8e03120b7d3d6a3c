using System.Net.Sockets;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Coordinator.Generations;

/// <summary>
/// Creates the image of a member that may not, since it has become another user than the one who has started all (su, setpriv, a server
/// that gives up root), and gives it the descriptor. The member says which file, but only its own image in the checkpoint directory is made.
/// </summary>
internal static class ImageOpener
{
    /// <returns>False: it is another host's member, or we may not do it, either.</returns>
    /// <exception cref="ProtocolException">That is not its image.</exception>
    public static bool TryOpenFor(Member member, in ImageFileWanted wanted, string directory, ulong computation)
    {
        if (!IsImageOf(member, wanted, directory, computation)) throw new ProtocolException("A member wants a file that is not its image.");
        if (!OwnHost.IsSameBoot(member.Hello.HostId)) return false;
        try
        {
            File.Delete(wanted.Path);
            // A new file, so that no link that somebody has put there is followed (O_EXCL). FileShare: no lock, the member shares the description.
            FileStreamOptions create = new()
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                BufferSize = 0,
            };
            using FileStream file = new(wanted.Path, create);
            if (Send(file.SafeFileHandle, wanted.ChannelName)) return true;
            File.Delete(wanted.Path);
            return false;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsImageOf(Member member, in ImageFileWanted wanted, string directory, ulong computation)
    {
        // What its program is called, it knows better: it may have renamed itself since its hello.
        string name = Path.GetFileName(wanted.Path);
        string end = ImageNames.Temporary($"_{ImageNames.Digits(computation)}-{member.Id}.img", wanted.Epoch)[1..];
        return wanted.Path == Path.Combine(directory, name) && name.StartsWith(".ckpt_", StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal);
    }

    /// <summary>False: nobody listens there: it lives in another network namespace, or has ended.</summary>
    private static bool Send(SafeFileHandle file, string channel)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint("\0" + channel));
        }
        catch (SocketException)
        {
            return false;
        }

        return DescriptorMessage.Send(socket, file);
    }
}
