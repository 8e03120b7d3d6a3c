using System.Text.Json;
using Dormouse.Coordinator.Host;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Generations;

/// <summary>
/// The coordinator's own list of committed generations, beside the images. Written last in a commit, as a whole, by rename.
/// dmrestart does not need it (every image says what it belongs to); a coordinator that takes over does, to know what is old.
/// </summary>
internal static class GenerationFile
{
    public static void Write(string directory, ulong computation, IEnumerable<Generation> generations)
    {
        System.IO.Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, ImageNames.Manifest(computation));
        string temporary = path + ".part";
        FileStreamOptions create = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (FileStream file = new(temporary, create))
        {
            using (Utf8JsonWriter json = new(file, new JsonWriterOptions { Indented = true })) WriteBody(json, computation, generations);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        DirectorySync.Sync(directory);
    }

    /// <summary>Reads the list, or returns an empty one when there is none, or none that can be understood.</summary>
    public static List<Generation> Read(string directory, ulong computation)
    {
        List<Generation> generations = [];
        try
        {
            byte[] text = File.ReadAllBytes(Path.Combine(directory, ImageNames.Manifest(computation)));
            using JsonDocument document = JsonDocument.Parse(text);
            if (document.RootElement.GetProperty("computation").GetString() != computation.ToString("x16")) return [];
            foreach (JsonElement entry in document.RootElement.GetProperty("generations").EnumerateArray()) generations.Add(ReadGeneration(entry));
            return generations;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException
            or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return [];
        }
    }

    private static void WriteBody(Utf8JsonWriter json, ulong computation, IEnumerable<Generation> generations)
    {
        json.WriteStartObject();
        json.WriteString("computation", computation.ToString("x16"));
        json.WriteStartArray("generations");
        foreach (Generation generation in generations)
        {
            json.WriteStartObject();
            json.WriteNumber("number", generation.Number);
            json.WriteString("committedAt", generation.CommittedAt);
            json.WriteStartArray("images");
            foreach (StoredImage image in generation.Images)
            {
                json.WriteStartObject();
                json.WriteNumber("member", image.Member);
                json.WriteString("host", image.HostName);
                json.WriteNumber("pid", image.Pid);
                json.WriteString("program", image.Program);
                json.WriteString("path", image.Path);
                json.WriteNumber("bytes", image.Bytes);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Generation ReadGeneration(JsonElement entry)
    {
        List<StoredImage> images = [];
        foreach (JsonElement image in entry.GetProperty("images").EnumerateArray())
        {
            images.Add(new StoredImage(
                image.GetProperty("member").GetUInt32(),
                image.GetProperty("host").GetString() ?? "",
                image.GetProperty("pid").GetInt32(),
                image.GetProperty("program").GetString() ?? "",
                image.GetProperty("path").GetString() ?? "",
                image.GetProperty("bytes").GetUInt64()));
        }

        return new Generation(entry.GetProperty("number").GetUInt32(), entry.GetProperty("committedAt").GetDateTimeOffset(), images);
    }
}
