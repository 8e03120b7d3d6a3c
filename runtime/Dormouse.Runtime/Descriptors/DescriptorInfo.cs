// World: Frozen.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Descriptors;

/// <summary>What the kernel shows of one descriptor.</summary>
/// <param name="Fd">Its number.</param>
/// <param name="Status">fstat(2).</param>
/// <param name="Link">Target of /proc/self/fd/N.</param>
/// <param name="Flags">Open and status flags, without O_CLOEXEC: fdinfo.</param>
/// <param name="Position">File offset, bytes.</param>
/// <param name="CloseOnExec">FD_CLOEXEC.</param>
/// <param name="Details">The lines of /proc/self/fdinfo/N: proc_pid_fdinfo(5).</param>
internal sealed record DescriptorInfo(
    int Fd, FileStatus Status, string Link, int Flags, long Position, bool CloseOnExec, string Details)
{
    private SocketIdentity? _socket;

    /// <summary>Reads a descriptor, or null when it is not open.</summary>
    public static DescriptorInfo? Read(int fd) => Read(fd, "/proc/self");

    /// <summary>Reads a descriptor of our own table.</summary>
    public static DescriptorInfo? ReadOwn(int fd) => Read(fd, "/proc/thread-self");

    private static DescriptorInfo? Read(int fd, string process)
    {
        string number = fd.ToString(CultureInfo.InvariantCulture);
        string details = ProcFile.ReadText(process + "/fdinfo/" + number);
        if (details.Length == 0 || Kernel.FStat(fd, out FileStatus status) < 0)
        {
            return null;
        }

        int flags = Convert.ToInt32(Detail(details, "flags:"), 8);
        long position = long.Parse(Detail(details, "pos:"), CultureInfo.InvariantCulture);
        // O_PATH opens the file that a socket is bound to.
        bool isSocket = status.Type == FileStatus.Socket && (flags & Constant.O_PATH) == 0;
        string? link = isSocket ? LinkOf(status) : Kernel.ReadLink(process + "/fd/" + number);
        return link is null ? null : new DescriptorInfo(
            fd, status, link, flags & ~Constant.O_CLOEXEC, position, (flags & Constant.O_CLOEXEC) != 0, details);
    }

    // sockfs_dname in net/socket.c.
    private static string LinkOf(FileStatus socket) => "socket:[" + socket.Inode.ToString(CultureInfo.InvariantCulture) + "]";

    /// <summary>Of a socket; asked for once.</summary>
    public SocketIdentity Socket => _socket ??= SocketIdentity.Of(Fd);

    public bool IsDeleted => Link.EndsWith(" (deleted)", StringComparison.Ordinal);

    public string Path => IsDeleted ? Link[..^" (deleted)".Length] : Link;

    public int AccessMode => Flags & Constant.O_ACCMODE;

    /// <summary>The value of a line of fdinfo, or "0".</summary>
    public string Detail(string name) => Detail(Details, name);

    /// <summary>Whether the kernel tells this at all.</summary>
    public bool HasDetail(string name) => LineOf(Details, name) >= 0;

    private static string Detail(string details, string name)
    {
        int line = LineOf(details, name);
        if (line < 0)
        {
            return "0";
        }

        int end = details.IndexOf('\n', line);
        return details[(line + name.Length)..(end < 0 ? details.Length : end)].Trim();
    }

    // Where the first line begins that begins so; -1: none does.
    private static int LineOf(string details, string name)
    {
        for (int line = 0; ; line++)
        {
            if (string.CompareOrdinal(details, line, name, 0, name.Length) == 0)
            {
                return line;
            }

            line = details.IndexOf('\n', line);
            if (line < 0)
            {
                return -1;
            }
        }
    }
}
