// World: Frozen, restored process. cmsg(3): u64 length with header | i32 level | i32 type | data, aligned to 8.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Ancillary data of AF_UNIX messages: unix(7).</summary>
internal static unsafe class ControlMessages
{
    /// <summary>As many descriptors as one message can carry (SCM_MAX_FD, 253), and credentials.</summary>
    public const int MostBytes = 2048;

    private const int HeaderBytes = 16, Rights = 1, Credentials = 2, CredentialsBytes = 12;

    /// <summary>The descriptors of a received message; they are ours to close.</summary>
    public static int[] Descriptors(byte* control, long bytes)
    {
        byte* data = Find(control, bytes, Rights, out long length);
        return data == null ? [] : new ReadOnlySpan<int>(data, (int)(length / sizeof(int))).ToArray();
    }

    public static SenderCredentials Sender(byte* control, long bytes)
        => TryGetSender(control, bytes, out SenderCredentials sender) ? sender : default;

    /// <summary>False: nothing says who has sent it. The process number is 0 where the sender lives outside of our namespace.</summary>
    public static bool TryGetSender(byte* control, long bytes, out SenderCredentials sender)
    {
        byte* data = Find(control, bytes, Credentials, out long length);
        bool isThere = data != null && length >= CredentialsBytes;
        sender = isThere ? new SenderCredentials(*(int*)data, *(uint*)(data + 4), *(uint*)(data + 8)) : default;
        return isThere;
    }

    /// <summary>Appends descriptors to be sent; returns the bytes now in use.</summary>
    public static long Add(byte* control, long used, ReadOnlySpan<int> descriptors)
    {
        if (descriptors.IsEmpty)
        {
            return used;
        }

        byte* data = Begin(control, used, Rights, descriptors.Length * sizeof(int));
        descriptors.CopyTo(new Span<int>(data, descriptors.Length));
        return used + Aligned(HeaderBytes + (descriptors.Length * sizeof(int)));
    }

    /// <summary>Appends the sender's credentials; returns the bytes now in use.</summary>
    public static long Add(byte* control, long used, SenderCredentials credentials)
    {
        if (!credentials.IsKnown)
        {
            return used;
        }

        byte* data = Begin(control, used, Credentials, CredentialsBytes);
        (*(int*)data, *(uint*)(data + 4), *(uint*)(data + 8)) = (credentials.Pid, credentials.User, credentials.Group);
        return used + Aligned(HeaderBytes + CredentialsBytes);
    }

    private static byte* Begin(byte* control, long used, int type, int dataBytes)
    {
        byte* at = control + used;
        *(long*)at = HeaderBytes + dataBytes;
        *(int*)(at + 8) = Constant.SOL_SOCKET;
        *(int*)(at + 12) = type;
        return at + HeaderBytes;
    }

    private static byte* Find(byte* control, long bytes, int type, out long length)
    {
        for (long at = 0; at + HeaderBytes <= bytes;)
        {
            length = *(long*)(control + at) - HeaderBytes;
            if (length < 0)
            {
                break;
            }

            if (*(int*)(control + at + 8) == Constant.SOL_SOCKET && *(int*)(control + at + 12) == type)
            {
                return control + at + HeaderBytes;
            }

            at += Aligned(HeaderBytes + length);
        }

        length = 0;
        return null;
    }

    private static long Aligned(long bytes) => (bytes + 7) & ~7;
}
