// World: Frozen (detect), restored process (reopen).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A terminal, pipe or socket that dmlaunch was given as a standard stream: after the restart it is dmrestart's.</summary>
/// <remarks>A regular file is not: it is opened again by its path and rolled back.</remarks>
internal sealed class OutsideStream(DescriptorInfo info, int stream) : OpenFile(info)
{
    public override string Kind => Info.Status.Type == FileStatus.CharacterDevice ? "terminal" : "outside";

    public override string Description => $"{Info.Link}, standard {Names[stream]} of the launch";

    public override ResourceKey Key => ObjectKeys.OfFile(Info, "outside" + stream.ToString(CultureInfo.InvariantCulture));

    private static string[] Names => ["input", "output", "error"];

    /// <summary>Whether a stream of this kind becomes dmrestart's; files and /dev/null are opened again.</summary>
    public static bool IsReplaced(DescriptorInfo info)
        => info.Status.Type is not (FileStatus.Regular or FileStatus.Directory) && info.Path != "/dev/null";

    /// <summary>Which of dmlaunch's standard streams this is, or -1. The one of its number, when the stream is open more than once.</summary>
    public static int StreamOf(DescriptorInfo info, string launchStdio)
    {
        int stream = 0, found = -1;
        foreach (Range range in launchStdio.AsSpan().Split(','))
        {
            if ((found < 0 || stream == info.Fd) && IsIdentity(launchStdio.AsSpan(range), info.Status))
            {
                found = stream;
            }

            stream++;
        }

        return found;
    }

    // Device and inode, see LaunchStdio. All descriptors are asked: no strings are made of theirs.
    private static bool IsIdentity(ReadOnlySpan<char> text, in FileStatus file)
    {
        int colon = text.IndexOf(':');
        return colon > 0
            && ulong.TryParse(text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out ulong device) && device == file.Device
            && ulong.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) && inode == file.Inode;
    }

    public override void Capture()
    {
        if (Info.Status.Type == FileStatus.CharacterDevice)
        {
            LaunchTerminal.Capture(Info);
        }
    }

    public override void Seal(uint self)
    {
        if (Info.Status.Type == FileStatus.CharacterDevice)
        {
            LaunchTerminal.Restore(Descriptors[0].Fd);
        }
    }

    public override int Reopen()
    {
        int fd = RestartStdio.Descriptor(stream);
        return fd >= 0 ? Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC) : Kernel.Open("/dev/null", Constant.O_RDWR);
    }
}
