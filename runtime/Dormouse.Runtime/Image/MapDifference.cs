// World: Frozen.
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Image;

/// <summary>Says where two snapshots of /proc/self/maps differ.</summary>
internal static unsafe class MapDifference
{
    public static string Describe(Scratch before, Scratch after, int length)
    {
        var left = new ReadOnlySpan<byte>(before.Pointer, length);
        var right = new ReadOnlySpan<byte>(after.Pointer, (int)after.Bytes);
        int at = left.CommonPrefixLength(right);
        return $"'{Line(left, at)}' became '{Line(right, at)}'";
    }

    private static string Line(ReadOnlySpan<byte> text, int at)
    {
        int start = text[..at].LastIndexOf((byte)'\n') + 1;
        ReadOnlySpan<byte> rest = text[start..];
        int end = rest.IndexOfAny((byte)'\n', (byte)0);
        return KernelText.FromBytes(end < 0 ? rest : rest[..end]);
    }
}
