using System.Buffers.Binary;
using System.Text;
using Dormouse.Launcher.Ssh;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>Answers of a part: u32 bytes, then lines, of which the first begins with what kind it is.</summary>
internal static class PartAnswers
{
    private const int Most = 64 << 20;

    public static void Send(RelaySocket socket, IEnumerable<string> lines)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        byte[] length = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)text.Length);
        for (ReadOnlySpan<byte> rest = (byte[])[.. length, .. text]; !rest.IsEmpty;)
        {
            int step = Math.Min(rest.Length, 65536);
            if (!socket.TrySend(rest[..step])) throw new RestartException("The connection to the dmrestart that was called is lost.");
            rest = rest[step..];
        }
    }

    /// <returns>Null: the part has ended.</returns>
    public static string[]? Receive(RelaySocket socket)
    {
        byte[] length = new byte[sizeof(uint)];
        if (!socket.TryReceive(length) || BinaryPrimitives.ReadUInt32LittleEndian(length) is > Most) return null;
        byte[] text = new byte[BinaryPrimitives.ReadUInt32LittleEndian(length)];
        return socket.TryReceive(text) ? Encoding.UTF8.GetString(text).Split('\n') : null;
    }
}
