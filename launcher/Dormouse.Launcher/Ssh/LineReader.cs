using System.Text;

namespace Dormouse.Launcher.Ssh;

/// <summary>Lines of a pipe, byte by byte: what follows a line is somebody else's.</summary>
internal static class LineReader
{
    /// <returns>The line without its end, or null at the end of the stream.</returns>
    public static string? Read(Stream stream)
    {
        List<byte> line = [];
        for (int next; (next = stream.ReadByte()) >= 0;)
        {
            if (next == '\n') return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add((byte)next);
        }

        return null;
    }
}
