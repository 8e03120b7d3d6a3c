// World: Frozen.
using System;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>
/// Names of files whose own name, the one under which they were opened, is unlinked. The kernel shows such a file as deleted although
/// another link leads to it: sem_open(3) makes sem.XXXXXX, links it to its name and unlinks the first, as do programs that
/// put a file in place whole. Looked for in the same directory; elsewhere nobody could find it.
/// </summary>
internal sealed class OtherNames
{
    private string _directory = "";
    private byte[] _entries = [];

    /// <summary>Another name of a regular file, or null.</summary>
    /// <param name="path">Its unlinked name.</param>
    /// <param name="device">As struct stat has it.</param>
    /// <param name="inode">Its number.</param>
    public string? Find(string path, ulong device, ulong inode)
    {
        string directory = path[..(path.LastIndexOf('/') + 1)];
        if (directory != _directory)
        {
            (_directory, _entries) = (directory, ReadEntries(directory));
        }

        ReadOnlySpan<byte> rest = _entries;
        while (!rest.IsEmpty)
        {
            var entry = DirectoryEntry.Take(ref rest);
            if (entry.Inode != inode)
            {
                continue;
            }

            string name = directory + KernelText.FromBytes(entry.Name);
            if (Kernel.Stat(name, out FileStatus status) == 0 && status.Inode == inode && status.Device == device)
            {
                return name;
            }
        }

        return null;
    }

    private static unsafe byte[] ReadEntries(string directory)
    {
        int fd = Kernel.Open(directory, Constant.O_RDONLY | Constant.O_DIRECTORY | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return [];
        }

        byte[] entries = new byte[32768];
        int length = 0;
        while (true)
        {
            long got;
            fixed (byte* at = entries)
            {
                got = Kernel.Call(SystemCall.GetDents64, fd, (long)(at + length), entries.Length - length);
            }

            // No room for the next entry: EINVAL.
            if (got <= 0 && got != -Errno.Invalid)
            {
                break;
            }

            length += (int)Math.Max(got, 0);
            if (entries.Length - length < 4096)
            {
                Array.Resize(ref entries, entries.Length * 2);
            }
        }

        Kernel.Close(fd);
        return entries[..length];
    }
}
