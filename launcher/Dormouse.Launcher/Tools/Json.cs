using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dormouse.Launcher.Tools;

internal static class Json
{
    /// <summary>Writes one indented document to standard output.</summary>
    public static void Print(Action<Utf8JsonWriter> write)
    {
        using MemoryStream buffer = new();
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter writer = new(buffer, options)) write(writer);
        Terminal.WriteLine(Terminal.Out, Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }
}
