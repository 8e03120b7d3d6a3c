// World: Guest and Frozen. Raw system calls only: no errno, no libc, no lock.
using System;
using Dormouse.Protocol.Image;

namespace Dormouse.Runtime.Interop;

/// <summary>System calls as C# needs them. Results are those of the kernel: a value, or -errno.</summary>
internal static unsafe class Kernel
{
    public static long Call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0)
        => Shim.RawCall(number, a, b, c, d, e, f);

    public static int Open(string path, int flags, int mode = 0)
    {
        fixed (byte* text = Terminated(path))
        {
            return (int)Call(SystemCall.OpenAt, Constant.AtFdCwd, (long)text, flags, mode);
        }
    }

    public static int Close(int fd) => (int)Call(SystemCall.Close, fd);

    public static long Read(int fd, Span<byte> into)
    {
        fixed (byte* at = into)
        {
            return Call(SystemCall.Read, fd, (long)at, into.Length);
        }
    }

    public static long Write(int fd, ReadOnlySpan<byte> data)
    {
        fixed (byte* at = data)
        {
            return Call(SystemCall.Write, fd, (long)at, data.Length);
        }
    }

    public static long ReadAt(int fd, Span<byte> into, long offset)
    {
        fixed (byte* at = into)
        {
            return Call(SystemCall.PRead64, fd, (long)at, into.Length, offset);
        }
    }

    /// <summary>Writes all of <paramref name="data"/>; 0 or -errno.</summary>
    public static int WriteAllAt(int fd, ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* at = data)
        {
            for (int done = 0; done < data.Length;)
            {
                long written = Call(SystemCall.PWrite64, fd, (long)(at + done), data.Length - done, offset + done);
                if (written == -Errno.Interrupted)
                {
                    continue;
                }

                if (written <= 0)
                {
                    return written == 0 ? -Errno.InputOutput : (int)written;
                }

                done += (int)written;
            }
        }

        return 0;
    }

    /// <summary>Copies between regular files; 0 or -errno. The offset of neither descriptor is used, that of <paramref name="to"/> may move.</summary>
    public static long CopyRange(int from, long fromOffset, int to, long toOffset, long bytes)
    {
        long end = fromOffset + bytes;
        while (fromOffset < end)
        {
            // copy_file_range(2) shares blocks where the file system can; not every one knows it, nor from one to another.
            long copied = Call(SystemCall.CopyFileRange, from, (long)&fromOffset, to, (long)&toOffset, end - fromOffset, 0);
            if (copied <= 0)
            {
                Seek(to, toOffset, Constant.SEEK_SET);
                copied = Call(SystemCall.SendFile, to, from, (long)&fromOffset, end - fromOffset);
                toOffset += Math.Max(copied, 0);
            }

            if (copied <= 0)
            {
                return copied == 0 ? -Errno.InputOutput : copied;
            }
        }

        return 0;
    }

    public static long Seek(int fd, long offset, int whence) => Call(SystemCall.LSeek, fd, offset, whence);

    public static int Fcntl(int fd, int command, long argument = 0) => (int)Call(SystemCall.Fcntl, fd, command, argument);

    public static int Dup3(int from, int to, int flags) => (int)Call(SystemCall.Dup3, from, to, flags);

    public static int Ioctl(int fd, uint request, void* argument) => (int)Call(SystemCall.Ioctl, fd, request, (long)argument);

    public static int Unlink(string path)
    {
        fixed (byte* text = Terminated(path))
        {
            return (int)Call(SystemCall.Unlink, (long)text);
        }
    }

    public static int Rename(string from, string to)
    {
        fixed (byte* source = Terminated(from))
        fixed (byte* target = Terminated(to))
        {
            return (int)Call(SystemCall.Rename, (long)source, (long)target);
        }
    }

    /// <summary>rename(2) that fails with EEXIST where a target is.</summary>
    public static int RenameUnlessThere(string from, string to)
    {
        const int AtCurrentDirectory = -100;
        const int NoReplace = 1;
        fixed (byte* source = Terminated(from))
        fixed (byte* target = Terminated(to))
        {
            int error = (int)Call(SystemCall.RenameAt2, AtCurrentDirectory, (long)source, AtCurrentDirectory, (long)target, NoReplace);
            if (error != -Errno.Invalid)
            {
                return error;
            }

            // Network file systems do not know the flag, rename(2). Nobody else makes files of these names meanwhile.
            return Call(SystemCall.Access, (long)target, 0) == 0 ? -Errno.Exists : (int)Call(SystemCall.Rename, (long)source, (long)target);
        }
    }

    public static int MakeDirectory(string path, int mode)
    {
        fixed (byte* text = Terminated(path))
        {
            return (int)Call(SystemCall.MkDir, (long)text, mode);
        }
    }

    /// <summary>The target of a symbolic link, or null.</summary>
    public static string? ReadLink(string path)
    {
        Span<byte> target = stackalloc byte[4096];
        fixed (byte* text = Terminated(path))
        fixed (byte* at = target)
        {
            long length = Call(SystemCall.ReadLink, (long)text, (long)at, target.Length);
            return length < 0 ? null : KernelText.FromBytes(target[..(int)length]);
        }
    }

    public static int Stat(string path, out FileStatus status)
    {
        FileStatus result;
        fixed (byte* text = Terminated(path))
        {
            int error = (int)Call(SystemCall.Stat, (long)text, (long)&result);
            status = result;
            return error;
        }
    }

    public static int FStat(int fd, out FileStatus status)
    {
        FileStatus result;
        int error = (int)Call(SystemCall.FStat, fd, (long)&result);
        status = result;
        return error;
    }

    /// <summary>What poll(2) reports at this instant, also unasked: POLLIN, POLLHUP …</summary>
    public static short PollNow(int fd, short events = 0) => Poll(fd, events, milliseconds: 0);

    /// <summary>The same when there is any of it, or after so long: then 0.</summary>
    public static short Poll(int fd, short events, int milliseconds)
    {
        long poll = (uint)fd | ((long)(ushort)events << 32);
        Call(SystemCall.Poll, (long)&poll, 1, milliseconds);
        return (short)(poll >> 48);
    }

    public static int Pid => (int)Call(SystemCall.GetPid);

    /// <summary>The calling thread, which may have a descriptor table of its own.</summary>
    public static int Tid => (int)Call(SystemCall.GetTid);

    /// <summary>The bytes of <paramref name="text"/> with a NUL at the end.</summary>
    public static byte[] Terminated(string text)
    {
        byte[] bytes = KernelText.ToBytes(text);
        Array.Resize(ref bytes, bytes.Length + 1);
        return bytes;
    }

    /// <summary>CLOCK_* in nanoseconds.</summary>
    public static long Clock(int clock)
    {
        long* time = stackalloc long[2];
        Call(SystemCall.ClockGetTime, clock, (long)time);
        return (time[0] * 1_000_000_000) + time[1];
    }

    public static void Sleep(int milliseconds) => Call(SystemCall.Poll, 0, 0, milliseconds);
}
