// World: Frozen, restored process.
using System;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The directory in which a relative name of AF_UNIX was bound, made the current one for a moment: no thread of the program runs.</summary>
internal readonly unsafe struct SocketDirectory : IDisposable
{
    private readonly int _beforePlusOne;

    private SocketDirectory(int before) => _beforePlusOne = before + 1;

    /// <summary>The name as it is for everybody, as far as that is known.</summary>
    public static string Resolve(string name) => Of(name) is { } directory ? $"{directory}/{name}" : name;

    /// <param name="address">Any; most have no directory, and nothing happens.</param>
    public static SocketDirectory Enter(byte[] address)
    {
        if (SocketName.NameOf(address) is not { } name || Of(name) is not { } directory)
        {
            return default;
        }

        int before = Kernel.Open(".", Constant.O_PATH | Constant.O_CLOEXEC);
        fixed (byte* text = Kernel.Terminated(directory))
        {
            Kernel.Call(SystemCall.ChDir, (long)text);
        }

        return new SocketDirectory(before);
    }

    public void Dispose()
    {
        if (_beforePlusOne > 0)
        {
            Kernel.Call(SystemCall.FChDir, _beforePlusOne - 1);
            Kernel.Close(_beforePlusOne - 1);
        }
    }

    private static string? Of(string name)
    {
        fixed (byte* text = Kernel.Terminated(name))
        {
            byte* directory = Shim.SocketDirectory(text);
            return directory is null ? null : KernelText.FromBytes(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(directory));
        }
    }
}
