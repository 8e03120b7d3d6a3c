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
            int error = Kernel.Rename(rename.From, rename.To);
            if (error < 0 && !(rename.Optional && error == -Errno.NoEntry))
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
