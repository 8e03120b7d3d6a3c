using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>Gives images their final names, and takes old ones away.</summary>
internal static class ImageCommit
{
    /// <summary>Renames in order and syncs the directories. Null, or the rest of a sentence: what failed and why.</summary>
    public static string? Rename(ImageRename[] renames)
    {
        var directories = new List<string>();
        foreach (ImageRename rename in renames)
        {
            Directories.MakeParents(rename.To);
            int error = rename.Optional ? MoveAway(rename) : Kernel.Rename(rename.From, rename.To);
            if (error < 0)
            {
                return $"cannot rename {rename.From} to {rename.To}: {Errno.Text(error)}. Check the permissions of the directory.";
            }

            Note(directories, rename.From);
            Note(directories, rename.To);
        }

        foreach (string directory in directories)
        {
            int fd = Kernel.Open(directory, Constant.O_RDONLY | Constant.O_DIRECTORY | Constant.O_CLOEXEC);
            if (fd >= 0)
            {
                Kernel.Call(SystemCall.FSync, fd);
                Kernel.Close(fd);
            }
        }

        return null;
    }

    /// <summary>
    /// An older image makes room. What is at the target already stays: it is that image, moved by a commit that broke off, and what
    /// lies at the source now is half of the generation that was not committed.
    /// </summary>
    private static int MoveAway(ImageRename rename)
    {
        int error = Kernel.RenameUnlessThere(rename.From, rename.To);
        return error is -Errno.NoEntry or -Errno.Exists ? 0 : error;
    }

    public static void Remove(string[] paths)
    {
        const int RemoveDirectory = 84;
        foreach (string path in paths)
        {
            Kernel.Unlink(path);
            unsafe
            {
                fixed (byte* parent = Kernel.Terminated(Parent(path)))
                {
                    Kernel.Call(RemoveDirectory, (long)parent);
                }
            }
        }
    }

    private static void Note(List<string> directories, string path)
    {
        string parent = Parent(path);
        if (!directories.Contains(parent))
        {
            directories.Add(parent);
        }
    }

    private static string Parent(string path) => path[..Math.Max(path.LastIndexOf('/'), 1)];
}
