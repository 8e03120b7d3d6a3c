// World: Guest (check), restored process (describe).
using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;
using Dormouse.Protocol.Programs;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>The namespaces of this process, and those in which its computation was launched or woken.</summary>
internal static unsafe class OwnNamespaces
{
    public static string Describe()
    {
        Kernel.Stat("/", out FileStatus root);
        return Namespaces.Describe(Kernel.ReadLink, root.Device, root.Inode);
    }

    /// <exception cref="CheckpointException">It has left those of the computation.</exception>
    public static void Check()
    {
        byte* text = Shim.Self()->Namespaces;
        string home = text == null ? "" : KernelText.FromBytes(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        if (Namespaces.Difference(home, Describe()) is { } place)
        {
            throw new CheckpointException($"it lives in {place}, and would come back outside of it. Try again when it has ended.");
        }
    }
}
