using System.Globalization;
using System.Text.Json;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Command;

/// <summary>dmcommand --checkpoint: waits until all is safe, and says what was written.</summary>
internal static class CheckpointAction
{
    public static int Run(CoordinatorClient client, in CheckpointCommand request, bool json)
    {
        client.Send(request);
        List<ImageReport> images = [];
        while (true)
        {
            FrameKind kind = client.Receive(out ReadOnlySpan<byte> payload);
            if (kind == FrameKind.ImageReport)
            {
                images.Add(Frame.Read<ImageReport>(payload));
            }
            else if (kind == FrameKind.CheckpointReport)
            {
                CheckpointReport report = Frame.Read<CheckpointReport>(payload);
                if (json) Json.Print(writer => WriteJson(writer, images, report));
                else Print(images, report);
                return ExitCode.Success;
            }
            else
            {
                throw CoordinatorClient.Unexpected(kind, payload);
            }
        }
    }

    private static void Print(List<ImageReport> images, in CheckpointReport report)
    {
        Table table = new("HOST", ">PID", "PROGRAM", ">MiB", "IMAGE");
        ulong total = 0;
        foreach (ImageReport image in images)
        {
            table.Add(image.HostName, image.Pid.ToString(), image.Program, MiB(image.ImageBytes), image.Path);
            total += image.ImageBytes;
        }

        table.Print();
        PrintLosses(images);

        Terminal.WriteLine(Terminal.Out, string.Create(CultureInfo.InvariantCulture,
            $"generation {report.Generation}: {report.Images} {(report.Images == 1 ? "image" : "images")}, {MiB(total)} MiB; stood still {report.StandstillMicroseconds / 1000.0:0.0} ms, safe after {report.DurationMicroseconds / 1000.0:0.0} ms."));
    }

    /// <summary>A process and its children often lose the same thing: said once.</summary>
    private static void PrintLosses(List<ImageReport> images)
    {
        var losses = images.SelectMany(image => image.Losses.Select(loss => (Loss: loss, Image: image))).GroupBy(entry => entry.Loss, entry => entry.Image);
        foreach (IGrouping<string, ImageReport> loss in losses)
        {
            ImageReport first = loss.First();
            string others = loss.Count() > 1 ? $" and {loss.Count() - 1} more" : "";
            Terminal.WriteLine(Terminal.Out, $"pid {first.Pid} ({first.Program}){others}: {loss.Key}");
        }
    }

    private static void WriteJson(Utf8JsonWriter writer, List<ImageReport> images, CheckpointReport report)
    {
        writer.WriteStartObject();
        writer.WriteNumber("generation", report.Generation);
        writer.WriteString("directory", report.Directory);
        writer.WriteNumber("standstillMicroseconds", report.StandstillMicroseconds);
        writer.WriteNumber("durationMicroseconds", report.DurationMicroseconds);
        writer.WriteStartArray("images");
        foreach (ImageReport image in images)
        {
            writer.WriteStartObject();
            writer.WriteNumber("member", image.Member);
            writer.WriteString("host", image.HostName);
            writer.WriteNumber("pid", image.Pid);
            writer.WriteString("program", image.Program);
            writer.WriteString("path", image.Path);
            writer.WriteNumber("imageBytes", image.ImageBytes);
            writer.WriteNumber("memoryBytes", image.MemoryBytes);
            writer.WriteNumber("standstillMicroseconds", image.StandstillMicroseconds);
            writer.WriteStartArray("losses");
            foreach (string loss in image.Losses) writer.WriteStringValue(loss);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string MiB(ulong bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);
}
