using System.Text.Json;

namespace Dormouse.EndToEnd.Harness;

/// <summary>What `dmcommand --checkpoint --json` says.</summary>
internal sealed record CheckpointReport(int Generation, TimeSpan Standstill, TimeSpan Duration, IReadOnlyList<ImageReport> Images)
{
    public long Bytes => Images.Sum(image => image.Bytes);

    public static CheckpointReport Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        List<ImageReport> images = [];
        foreach (JsonElement image in root.GetProperty("images").EnumerateArray())
        {
            images.Add(new ImageReport(
                image.GetProperty("pid").GetInt32(), image.GetProperty("program").GetString()!, image.GetProperty("path").GetString()!,
                image.GetProperty("imageBytes").GetInt64(), [.. image.GetProperty("losses").EnumerateArray().Select(loss => loss.GetString()!)]));
        }

        return new CheckpointReport(
            root.GetProperty("generation").GetInt32(),
            TimeSpan.FromMicroseconds(root.GetProperty("standstillMicroseconds").GetInt64()),
            TimeSpan.FromMicroseconds(root.GetProperty("durationMicroseconds").GetInt64()),
            images);
    }
}

/// <summary>One process in it. Its PID is the one that the process sees.</summary>
internal sealed record ImageReport(int Pid, string Program, string Path, long Bytes, IReadOnlyList<string> Losses);
