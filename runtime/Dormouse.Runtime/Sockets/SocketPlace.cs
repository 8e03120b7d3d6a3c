// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The file that bind(2) makes for a socket of AF_UNIX: its owner and permissions decide who may connect (unix(7)).</summary>
internal readonly unsafe struct SocketPlace
{
    private const uint Permissions = 0xFFF;
    private const int PatienceMilliseconds = 2000, StepMilliseconds = 20;
    private readonly string? _path;
    private readonly bool _isGone;
    private readonly uint _mode, _uid, _gid;

    private SocketPlace(string path)
    {
        _path = path;
        int error = Kernel.Stat(path, out FileStatus status);
        _isGone = error == -Errno.NoEntry;
        if (error == 0 && status.Type == FileStatus.Socket)
        {
            (_mode, _uid, _gid) = (status.Mode & Permissions, status.Uid, status.Gid);
        }
        else if (!_isGone)
        {
            _path = null;
        }
    }

    /// <param name="address">A name of AF_UNIX, or whatever: only a path has a place.</param>
    public static SocketPlace Of(byte[] address) => SocketName.PathOf(address) is { } path ? new SocketPlace(path) : default;

    /// <summary>Before any socket is bound again. What lies there may be a leftover, or belong to a process that is just ending.</summary>
    /// <param name="what">The socket that is to have the path, for people.</param>
    /// <exception cref="CheckpointException">It is somebody's.</exception>
    public static void Check(string path, string what)
    {
        for (int waited = 0; IsServed(path); waited += StepMilliseconds)
        {
            if (waited >= PatienceMilliseconds)
            {
                throw new CheckpointException($"{what} cannot be bound to {path} again: another program has a socket there. Stop that program and run dmrestart again.");
            }

            Kernel.Sleep(StepMilliseconds);
        }
    }

    private static bool IsServed(string path)
        => Kernel.Stat(path, out FileStatus status) == 0 && status.Type == FileStatus.Socket && UnixDiagnosis.IsBoundTo(status.Inode, path);

    /// <summary>Right after bind(2).</summary>
    /// <param name="what">The socket, for people.</param>
    public void Restore(string what)
    {
        if (_path is null || _isGone || Kernel.Stat(_path, out FileStatus now) < 0)
        {
            return;
        }

        long error = 0;
        fixed (byte* path = Kernel.Terminated(_path))
        {
            if (now.Uid != _uid || now.Gid != _gid)
            {
                error = Kernel.Call(SystemCall.LChown, (long)path, _uid, _gid);
            }

            error = Math.Min(error, Kernel.Call(SystemCall.ChMod, (long)path, _mode));
        }

        if (error < 0)
        {
            RestartStdio.WarnOfProcess($"{what}: {_path} does not get its owner {_uid}:{_gid} and its permissions back: {Errno.Text(error)}");
        }
    }

    /// <summary>When all are connected: the program had removed the name.</summary>
    public void RemoveAgain()
    {
        if (_path is not null && _isGone)
        {
            Kernel.Unlink(_path);
        }
    }
}
