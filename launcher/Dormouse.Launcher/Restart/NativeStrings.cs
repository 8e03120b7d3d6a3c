using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>An array of C strings that ends with a null pointer: argv or envp of execve(2). Owns its memory.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly int _count;

    public NativeStrings(params string[] texts)
    {
        _count = texts.Length;
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Length + 1), (nuint)sizeof(byte*));
        for (int index = 0; index < texts.Length; index++)
        {
            byte[] bytes = KernelText.ToBytes(texts[index]);
            Pointer[index] = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(Pointer[index], bytes.Length));
        }
    }

    /// <summary>The array; valid until <see cref="Dispose"/>.</summary>
    public byte** Pointer { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int index = 0; index < _count; index++)
        {
            NativeMemory.Free(Pointer[index]);
        }

        NativeMemory.Free(Pointer);
    }
}
