using System.Buffers;
using System.Text;

namespace Dormouse.Protocol.Image;

/// <summary>
/// Converts what the kernel calls a string (any bytes but NUL) to a .NET string and back without loss. World: all.
/// </summary>
/// <remarks>
/// Paths and arguments are usually UTF-8, but need not be. A byte that is not part of valid UTF-8 becomes the lone
/// surrogate U+DC80 + (byte - 0x80), which valid UTF-8 never produces.
/// </remarks>
public static class KernelText
{
    private const int EscapeBase = 0xDC00;

    /// <summary>The text of <paramref name="bytes"/> (without the terminating NUL).</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (Ascii.IsValid(bytes))
        {
            return Encoding.ASCII.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        Span<char> pair = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int used) == OperationStatus.Done)
            {
                text.Append(pair[..rune.EncodeToUtf16(pair)]);
                bytes = bytes[used..];
            }
            else
            {
                text.Append((char)(EscapeBase + bytes[0]));
                bytes = bytes[1..];
            }
        }

        return text.ToString();
    }

    /// <summary>The bytes of <paramref name="text"/>, without a terminating NUL.</summary>
    public static byte[] ToBytes(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Ascii.IsValid(text))
        {
            return Encoding.ASCII.GetBytes(text);
        }

        var bytes = new byte[text.Length * 3];
        int length = 0;
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int used) == OperationStatus.Done)
            {
                length += rune.EncodeToUtf8(bytes.AsSpan(length));
            }
            else
            {
                bytes[length++] = rest[0] is >= (char)(EscapeBase + 0x80) and <= (char)(EscapeBase + 0xFF)
                    ? (byte)(rest[0] - EscapeBase)
                    : (byte)'?';
                used = 1;
            }

            rest = rest[used..];
        }

        return bytes.AsSpan(0, length).ToArray();
    }
}
