// World: Guest (check), restored process (describe).
using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;
using Dormouse.Protocol.Programs;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>The namespaces of this process, and those in which its computation was launched or woken.</summary>
internal static unsafe class OwnNamespaces
{
    public static string Describe() => Namespaces.Describe(Kernel.ReadLink);

    /// <exception cref="CheckpointException">It has left those of the computation.</exception>
    public static void Check()
    {
        byte* text = Shim.Self()->Namespaces;
        string home = text == null ? "" : KernelText.FromBytes(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        if (Namespaces.Difference(home, Describe()) is { } kind)
        {
            throw new CheckpointException($"it lives in a {kind} namespace of its own, as unshare(1) and containers make it, and would come back outside of it. Try again when it has ended.");
        }
    }
}
