// World: Frozen (read), restored process (write).
using System;
using System.Collections.Generic;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Files;

/// <summary>The bytes of a file, holes left out, and what is needed to make it again. They travel in the image as memory.</summary>
internal sealed unsafe class FileContents
{
    private const int PieceBytes = 1 << 20;
    private readonly List<Piece> _pieces = [];
    private FileStatus _status;

    /// <summary>A run of bytes that are not a hole.</summary>
    private readonly record struct Piece(long Offset, nint Address, long Bytes);

    public long SizeBytes => _status.SizeBytes;

    public int Mode => (int)(_status.Mode & 0xFFF);

    /// <summary>Reads a file through a descriptor that is open for reading, whose offset is moved.</summary>
    /// <param name="fd">To read through.</param>
    /// <param name="path">For messages.</param>
    /// <param name="status">Of the file.</param>
    /// <exception cref="CheckpointException">It cannot be read, or there is no memory for it.</exception>
    public static FileContents Read(int fd, string path, FileStatus status)
    {
        var contents = new FileContents { _status = status };
        for (long offset = 0; offset < status.SizeBytes;)
        {
            long data = Kernel.Seek(fd, offset, Constant.SEEK_DATA);
            if (data < 0)
            {
                break;
            }

            offset = Math.Min(Kernel.Seek(fd, data, Constant.SEEK_HOLE), status.SizeBytes);
            contents.ReadPiece(fd, path, data, offset - data);
        }

        return contents;
    }

    /// <summary>Whether the file has these bytes up to where they end; it may be longer.</summary>
    public bool IsPrefixOf(int fd)
    {
        if (Kernel.FStat(fd, out FileStatus now) < 0 || now.SizeBytes < SizeBytes)
        {
            return false;
        }

        byte[] buffer = new byte[PieceBytes];
        long checkedBytes = 0;
        foreach (Piece piece in _pieces)
        {
            if (!IsZero(fd, buffer, checkedBytes, piece.Offset) || !IsSame(fd, buffer, piece))
            {
                return false;
            }

            checkedBytes = piece.Offset + piece.Bytes;
        }

        return IsZero(fd, buffer, checkedBytes, SizeBytes);
    }

    /// <summary>Replaces the contents, not the file: links to it, its ACL and who else has it open stay.</summary>
    /// <param name="fd">Open for writing.</param>
    /// <param name="path">For messages.</param>
    public void WriteTo(int fd, string path)
    {
        Check(Kernel.Call(SystemCall.FTruncate, fd, 0), path);
        Check(Kernel.Call(SystemCall.FTruncate, fd, SizeBytes), path);
        foreach (Piece piece in _pieces)
        {
            for (long done = 0; done < piece.Bytes; done += PieceBytes)
            {
                int bytes = (int)Math.Min(PieceBytes, piece.Bytes - done);
                Check(Kernel.WriteAllAt(fd, new ReadOnlySpan<byte>((byte*)piece.Address + done, bytes), piece.Offset + done), path);
            }
        }
    }

    private void ReadPiece(int fd, string path, long offset, long bytes)
    {
        Scratch memory = CapturedMemory.Map((ulong)bytes);
        long done = 0;
        while (done < bytes)
        {
            int wanted = (int)Math.Min(PieceBytes, bytes - done);
            long got = Kernel.ReadAt(fd, new Span<byte>(memory.Pointer + done, wanted), offset + done);
            if (got < 0)
            {
                throw new CheckpointException($"cannot read {path}, whose contents the image must carry: {Errno.Text(got)}. Make it readable or close it before the checkpoint.");
            }

            if (got == 0)
            {
                break; // cut off by somebody who is no member
            }

            done += got;
        }

        _pieces.Add(new Piece(offset, (nint)memory.Pointer, done));
    }

    private static bool IsSame(int fd, byte[] buffer, Piece piece)
    {
        for (long done = 0; done < piece.Bytes;)
        {
            int wanted = (int)Math.Min(buffer.Length, piece.Bytes - done);
            long got = Kernel.ReadAt(fd, buffer.AsSpan(0, wanted), piece.Offset + done);
            if (got != wanted || !buffer.AsSpan(0, wanted).SequenceEqual(new ReadOnlySpan<byte>((byte*)piece.Address + done, wanted)))
            {
                return false;
            }

            done += got;
        }

        return true;
    }

    private static bool IsZero(int fd, byte[] buffer, long from, long to)
    {
        while (from < to)
        {
            int wanted = (int)Math.Min(buffer.Length, to - from);
            long got = Kernel.ReadAt(fd, buffer.AsSpan(0, wanted), from);
            if (got != wanted || buffer.AsSpan(0, wanted).ContainsAnyExcept((byte)0))
            {
                return false;
            }

            from += got;
        }

        return true;
    }

    private static void Check(long error, string path)
    {
        if (error < 0)
        {
            throw new CheckpointException($"cannot write the contents of {path} back: {Errno.Text(error)}. Make room and run dmrestart again.");
        }
    }
}
