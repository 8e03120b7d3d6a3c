using Dormouse.Launcher.Interop;

namespace Dormouse.Launcher.Launch;

/// <summary>What descriptors 0, 1 and 2 were when dmlaunch began: dmrestart gives whatever these are to its own in their place.</summary>
internal static class StandardDescriptors
{
    /// <returns>"dev:ino,dev:ino,dev:ino" in decimal, "-" for a closed one.</returns>
    public static string Describe()
    {
        string[] words = new string[3];
        for (int fd = 0; fd < words.Length; fd++)
            words[fd] = Start.Stat(fd, out Start.FileStatus status) == Errno.None ? $"{status.Device}:{status.Inode}" : "-";
        return string.Join(',', words);
    }
}
