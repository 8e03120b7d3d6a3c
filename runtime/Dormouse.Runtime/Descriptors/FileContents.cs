// World: Frozen (read), restored process (write).
using System;
using System.Collections.Generic;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>The bytes of a file, holes left out, and what is needed to make it again. They travel in the image as managed memory.</summary>
internal sealed class FileContents
{
    /// <summary>Larger files without a name cannot be kept in memory.</summary>
    private const long LargestBytes = 128 << 20;
    private const int PieceBytes = 1 << 20;
    private readonly List<(long Offset, byte[] Bytes)> _pieces = [];
    private long _sizeBytes;
    private uint _mode;
    private uint _uid;
    private uint _gid;

    /// <summary>Reads a file through a descriptor that is open for reading, whose offset is moved.</summary>
    /// <remarks>Through the program's own: closing another one would end its fcntl locks, see <see cref="FileLocks"/>.</remarks>
    /// <param name="fd">To read through.</param>
    /// <param name="path">For messages.</param>
    /// <param name="status">Of the file.</param>
    public static FileContents Read(int fd, string path, FileStatus status)
    {
        if (status.Blocks * 512 > LargestBytes)
        {
            throw new CheckpointException($"{path} has no name in the file system any more and holds {status.Blocks >> 11} MiB, more than the {LargestBytes >> 20} MiB that an image can carry. Keep the file linked while the program runs.");
        }

        var contents = new FileContents { _sizeBytes = status.SizeBytes, _mode = status.Mode & 0xFFF, _uid = status.Uid, _gid = status.Gid };
        contents.ReadPieces(fd);
        return contents;
    }

    private void ReadPieces(int fd)
    {
        long offset = 0;
        while (offset < _sizeBytes)
        {
            long data = Kernel.Seek(fd, offset, Constant.SEEK_DATA);
            if (data < 0)
            {
                break;
            }

            long hole = Kernel.Seek(fd, data, Constant.SEEK_HOLE);
            for (offset = data; offset < hole && offset < _sizeBytes;)
            {
                byte[] piece = new byte[Math.Min(PieceBytes, hole - offset)];
                long got = Kernel.ReadAt(fd, piece, offset);
                if (got <= 0)
                {
                    return;
                }

                _pieces.Add((offset, got == piece.Length ? piece : piece[..(int)got]));
                offset += got;
            }
        }
    }

    /// <summary>Gives the file <paramref name="path"/> these contents again, making it and its directories when they are gone.</summary>
    public void RollBack(string path)
    {
        Directories.MakeParents(path);
        int fd = Kernel.Open(path, Constant.O_RDWR | Constant.O_CREAT | Constant.O_CLOEXEC, (int)_mode);
        if (fd < 0)
        {
            throw new CheckpointException($"cannot write {path} back as it was at the checkpoint: {Errno.Text(fd)}. Make the file or its directory writable and run dmrestart again.");
        }

        if (!IsSame(fd))
        {
            Kernel.Call(SystemCall.FTruncate, fd, 0);
            WriteTo(fd, path);
            Kernel.Call(SystemCall.FChMod, fd, (long)_mode);
            Kernel.Call(SystemCall.FChOwn, fd, _uid, _gid);
        }

        Kernel.Close(fd);
    }

    /// <summary>Writes the contents into an empty file.</summary>
    public void WriteTo(int fd, string path)
    {
        int writable = Kernel.Open(ProcFile.DescriptorPath(fd), Constant.O_RDWR | Constant.O_CLOEXEC);
        Kernel.Call(SystemCall.FTruncate, writable, _sizeBytes);
        foreach ((long offset, byte[] bytes) in _pieces)
        {
            int error = Kernel.WriteAllAt(writable, bytes, offset);
            if (error < 0)
            {
                throw new CheckpointException($"cannot write the contents of {path} back: {Errno.Text(error)}. Make room and run dmrestart again.");
            }
        }

        Kernel.Close(writable);
    }

    private bool IsSame(int fd)
    {
        if (Kernel.FStat(fd, out FileStatus now) < 0 || now.SizeBytes != _sizeBytes)
        {
            return false;
        }

        byte[] buffer = new byte[PieceBytes];
        long covered = 0;
        foreach ((long offset, byte[] bytes) in _pieces)
        {
            if (offset != covered || Kernel.ReadAt(fd, buffer.AsSpan(0, bytes.Length), offset) != bytes.Length || !bytes.AsSpan().SequenceEqual(buffer.AsSpan(0, bytes.Length)))
            {
                return false;
            }

            covered = offset + bytes.Length;
        }

        return covered == _sizeBytes;
    }
}
