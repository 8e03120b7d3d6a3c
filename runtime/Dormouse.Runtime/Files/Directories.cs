using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>Directories that must exist for a file to be made again.</summary>
internal static class Directories
{
    /// <summary>Makes the missing parents of <paramref name="path"/>, 0700: session directories under /tmp.</summary>
    public static void MakeParents(string path)
    {
        int slash = path.LastIndexOf('/');
        if (slash <= 0)
        {
            return;
        }

        string parent = path[..slash];
        if (Kernel.Stat(parent, out _) == 0)
        {
            return;
        }

        MakeParents(parent);
        Kernel.MakeDirectory(parent, 0x1C0);
    }
}
