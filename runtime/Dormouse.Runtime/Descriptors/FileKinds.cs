// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>The one list of resource kinds: decides which class a descriptor belongs to.</summary>
internal static class FileKinds
{
    public static OpenFile Classify(DescriptorInfo info, string launchStdio)
    {
        int stream = OutsideStream.StreamOf(info, launchStdio);
        if (stream >= 0 && OutsideStream.IsReplaced(info))
        {
            return new OutsideStream(info, stream);
        }

        if ((info.Flags & Constant.O_PATH) != 0)
        {
            return new DirectoryFile(info);
        }

        // A file of pidfs, with the type of a regular file in some kernels.
        if (info.Status.Type != FileStatus.Socket && info.Link.StartsWith("pidfd:[", System.StringComparison.Ordinal))
        {
            return new PidFd(info);
        }

        return info.Status.Type switch
        {
            FileStatus.Regular when info.HasNoName => new NamelessFile(info),
            FileStatus.Regular => new RegularFile(info, stream),
            FileStatus.Directory => new DirectoryFile(info),
            FileStatus.Fifo => new PipeEnd(info),
            FileStatus.CharacterDevice => (OpenFile?)PtyEnd.Detect(info, launchStdio) ?? new DeviceFile(info),
            FileStatus.Socket => Sockets.SocketKinds.Classify(info),
            _ => ClassifyAnonymous(info),
        };
    }

    private static OpenFile ClassifyAnonymous(DescriptorInfo info) => info.Link switch
    {
        "anon_inode:[eventfd]" => new EventFd(info),
        "anon_inode:[eventpoll]" => new Epoll(info),
        "anon_inode:[timerfd]" => new TimerFd(info),
        "anon_inode:[signalfd]" => new SignalFd(info),
        "anon_inode:[pidfd]" => new PidFd(info),
        _ => new UnknownFile(info, info.Link),
    };
}
