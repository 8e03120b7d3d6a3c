namespace Dormouse.Coordinator.Host;

/// <summary>Random bytes for tokens, nonces and numbers.</summary>
/// <remarks>.NET's RandomNumberGenerator would load OpenSSL, some milliseconds in tools that start in fewer. See urandom(4).</remarks>
public static class RandomBytes
{
    public static byte[] Take(int count)
    {
        byte[] bytes = new byte[count];
        using FileStream source = new("/dev/urandom", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        source.ReadExactly(bytes);
        return bytes;
    }

    public static ulong TakeUInt64()
    {
        ulong value;
        do value = BitConverter.ToUInt64(Take(sizeof(ulong)));
        while (value == 0);
        return value;
    }
}
