// World: Frozen.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>What the kernel shows of one descriptor.</summary>
/// <param name="Fd">Its number.</param>
/// <param name="Status">fstat(2).</param>
/// <param name="Link">Target of /proc/self/fd/N.</param>
/// <param name="Flags">Open and status flags, without O_CLOEXEC: fdinfo.</param>
/// <param name="Position">File offset, bytes.</param>
/// <param name="CloseOnExec">FD_CLOEXEC.</param>
/// <param name="Details">All lines of /proc/self/fdinfo/N: proc_pid_fdinfo(5).</param>
internal sealed record DescriptorInfo(
    int Fd, FileStatus Status, string Link, int Flags, long Position, bool CloseOnExec, string[] Details)
{
    /// <summary>Reads a descriptor, or null when it is not open.</summary>
    public static DescriptorInfo? Read(int fd) => Read(fd, "/proc/self");

    /// <summary>Reads a descriptor of our own table.</summary>
    public static DescriptorInfo? ReadOwn(int fd) => Read(fd, "/proc/thread-self");

    private static DescriptorInfo? Read(int fd, string process)
    {
        string number = fd.ToString(CultureInfo.InvariantCulture);
        string? link = Kernel.ReadLink(process + "/fd/" + number);
        if (link is null || Kernel.FStat(fd, out FileStatus status) < 0)
        {
            return null;
        }

        string[] details = ProcFile.ReadText(process + "/fdinfo/" + number).Split('\n');
        int flags = Convert.ToInt32(Detail(details, "flags:"), 8);
        long position = long.Parse(Detail(details, "pos:"), CultureInfo.InvariantCulture);
        return new DescriptorInfo(
            fd, status, link, flags & ~Constant.O_CLOEXEC, position, (flags & Constant.O_CLOEXEC) != 0, details);
    }

    public bool IsDeleted => Link.EndsWith(" (deleted)", StringComparison.Ordinal);

    public string Path => IsDeleted ? Link[..^" (deleted)".Length] : Link;

    public int AccessMode => Flags & Constant.O_ACCMODE;

    /// <summary>The value of a line of fdinfo, or "0".</summary>
    public string Detail(string name) => Detail(Details, name);

    /// <summary>Whether the kernel tells this at all.</summary>
    public bool HasDetail(string name) => Array.Exists(Details, line => line.StartsWith(name, StringComparison.Ordinal));

    private static string Detail(string[] details, string name)
    {
        foreach (string line in details)
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[name.Length..].Trim();
            }
        }

        return "0";
    }
}
