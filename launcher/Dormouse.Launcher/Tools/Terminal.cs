using System.Text;

namespace Dormouse.Launcher.Tools;

/// <summary>Standard output and error as plain descriptors.</summary>
/// <remarks>System.Console would change the terminal's settings and install signal handlers (SIGCHLD, SIGCONT, SIGWINCH) for what
/// these tools never use.</remarks>
internal static class Terminal
{
    public static TextWriter Out { get; } = Open(1);

    public static TextWriter Error { get; } = Open(2);

    /// <summary>One line of complaint: "dmlaunch: …".</summary>
    public static void Complain(string tool, string message) => WriteLine(Error, $"{tool}: {message}");

    /// <summary>Writes a line; that nobody reads it (EPIPE) or that it is closed does not matter.</summary>
    public static void WriteLine(TextWriter writer, string line)
    {
        try
        {
            writer.WriteLine(line);
        }
        catch (IOException)
        {
            // As head(1) does to its left neighbour.
        }
    }

    private static StreamWriter Open(int descriptor)
        => new(new DescriptorStream(descriptor), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 4096) { AutoFlush = true };
}
