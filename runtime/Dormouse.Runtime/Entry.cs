using System.Runtime.InteropServices;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime;

/// <summary>Entry points for native-shim that no program sees. Nothing may escape into C.</summary>
internal static unsafe class Entry
{
    /// <summary>The checkpoint thread's turn: what it waited for has come. Nonzero ends the thread.</summary>
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_step")]
    [DNNE.C99DeclCode("struct dm_step;")]
    internal static int Step([DNNE.C99Type("struct dm_step *")] Step* step)
    {
        DescriptorLimit.MakeRoom();
        try
        {
            return Worker.Current.Step(ref *step) ? 0 : 1;
        }
        catch (Exception exception)
        {
            Diagnostics.Report("internal error, this process can no longer be checkpointed: " + exception.Message);
            return 1;
        }
        finally
        {
            DescriptorLimit.GiveBack();
        }
    }
}
