// World: Frozen.
using System;
using System.Globalization;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Descriptors;

/// <summary>What the kernel shows of one descriptor.</summary>
/// <param name="Fd">Its number.</param>
/// <param name="Status">fstat(2).</param>
/// <param name="Name">Target of /proc/self/fd/N; null: that of a socket, which its status tells.</param>
/// <param name="Flags">Open and status flags, without O_CLOEXEC: fdinfo.</param>
/// <param name="Position">File offset, bytes.</param>
/// <param name="CloseOnExec">FD_CLOEXEC.</param>
/// <param name="Details">The lines of /proc/self/fdinfo/N that not all have: proc_pid_fdinfo(5).</param>
internal sealed record DescriptorInfo(
    int Fd, FileStatus Status, string? Name, int Flags, long Position, bool CloseOnExec, string Details)
{
    private string? _name = Name;
    private SocketIdentity? _socket;
    private byte[]? _socketAddress;

    /// <summary>Reads the descriptors of the program, those that are open.</summary>
    public static List<DescriptorInfo> Read(List<int> numbers)
    {
        var all = new List<DescriptorInfo>(numbers.Count);
        using var directory = new NumberedFiles("/proc/self/fdinfo");
        foreach (int fd in numbers)
        {
            if (Read(fd, "/proc/self/fd/", directory) is { } info)
            {
                all.Add(info);
            }
        }

        return all;
    }

    /// <summary>Reads a descriptor of our own table, or null when it is not open.</summary>
    public static DescriptorInfo? ReadOwn(int fd)
    {
        using var directory = new NumberedFiles("/proc/thread-self/fdinfo");
        return Read(fd, "/proc/thread-self/fd/", directory);
    }

    private static DescriptorInfo? Read(int fd, string links, NumberedFiles directory)
    {
        ReadOnlySpan<byte> text = directory.Read(fd);
        if (text.IsEmpty || Kernel.FStat(fd, out FileStatus status) < 0)
        {
            return null;
        }

        // seq_show in fs/proc/fd.c; the last of them since Linux 5.14.
        int flags = 0;
        long position = 0;
        while (NextField(ref text, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            if (name.SequenceEqual("pos"u8))
            {
                _ = long.TryParse(value, CultureInfo.InvariantCulture, out position);
            }
            else if (name.SequenceEqual("flags"u8))
            {
                flags = OctalOf(value);
            }
        }

        // O_PATH opens the file that a socket is bound to.
        bool isSocket = status.Type == FileStatus.Socket && (flags & Constant.O_PATH) == 0;
        string? link = isSocket ? null : Kernel.ReadLink(links + fd.ToString(CultureInfo.InvariantCulture));
        return !isSocket && link is null ? null : new DescriptorInfo(
            fd, status, link, flags & ~Constant.O_CLOEXEC, position, (flags & Constant.O_CLOEXEC) != 0, text.IsEmpty ? "" : KernelText.FromBytes(text).TrimEnd('\n'));
    }

    // Takes one of the lines that all descriptors have off the text.
    private static bool NextField(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        int colon = text.IndexOf((byte)':'), end = text.IndexOf((byte)'\n');
        end = end < 0 ? text.Length : end;
        name = colon < 0 || colon > end ? [] : text[..colon];
        value = name.IsEmpty ? [] : text[(colon + 1)..end].TrimStart((byte)'\t');
        bool isCommon = name.SequenceEqual("pos"u8) || name.SequenceEqual("flags"u8) || name.SequenceEqual("mnt_id"u8) || name.SequenceEqual("ino"u8);
        text = isCommon ? text[Math.Min(end + 1, text.Length)..] : text;
        return isCommon;
    }

    private static int OctalOf(ReadOnlySpan<byte> digits)
    {
        int value = 0;
        foreach (byte digit in digits)
        {
            value = (value * 8) + (digit - '0');
        }

        return value;
    }

    /// <summary>Target of /proc/self/fd/N: sockfs_dname in net/socket.c.</summary>
    public string Link => _name ??= "socket:[" + Status.Inode.ToString(CultureInfo.InvariantCulture) + "]";

    /// <summary>Of a socket; asked for once.</summary>
    public SocketIdentity Socket => _socket ??= SocketIdentity.Of(Fd, SocketAddress);

    /// <summary>getsockname(2) of a socket; asked for once.</summary>
    public byte[] SocketAddress => _socketAddress ??= SocketCalls.LocalAddress(Fd);

    public bool IsDeleted => Link.EndsWith(" (deleted)", StringComparison.Ordinal);

    /// <summary>Whether no path leads to this regular file: also none but the one under which it was opened, which becomes its <see cref="Path"/>.</summary>
    public bool HasNoName
    {
        get
        {
            if (IsDeleted && Status.Links != 0)
            {
                _name = new OtherNames().Find(Path, Status.Device, Status.Inode) ?? _name;
            }

            return IsDeleted;
        }
    }

    public string Path => IsDeleted ? Link[..^" (deleted)".Length] : Link;

    public int AccessMode => Flags & Constant.O_ACCMODE;

    /// <summary>The value of a line of fdinfo, or "0".</summary>
    public string Detail(string name)
    {
        int line = LineOf(Details, name);
        if (line < 0)
        {
            return "0";
        }

        int end = Details.IndexOf('\n', line);
        return Details[(line + name.Length)..(end < 0 ? Details.Length : end)].Trim();
    }

    /// <summary>Whether the kernel tells this at all.</summary>
    public bool HasDetail(string name) => LineOf(Details, name) >= 0;

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
