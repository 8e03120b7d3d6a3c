// World: Frozen, restored process.
namespace Dormouse.Runtime.Files;

/// <summary>Bytes in <see cref="CapturedMemory"/>; valid until that is released.</summary>
internal readonly struct CapturedBytes(ulong start, int length)
{
    public int Length => length;

    public unsafe byte* Pointer => (byte*)start;

    public CapturedBytes Slice(int from, int count) => new(start + (ulong)from, count);
}
