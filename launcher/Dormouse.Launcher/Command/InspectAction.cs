using System.Globalization;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Command;

/// <summary>dmcommand --inspect: an image in words.</summary>
internal static class InspectAction
{
    public static int Run(string path, bool json)
    {
        ImageFile image;
        try
        {
            image = ImageFile.Open(path);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ToolException(ExitCode.Failed, $"There is no image {path}.");
        }
        catch (Exception problem) when (problem is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Failed, problem.Message);
        }

        if (json) PrintJson(image);
        else Print(image);
        return ExitCode.Success;
    }

    private static IEnumerable<(string Name, string Value)> Facts(ImageFile image)
    {
        ImageManifest manifest = image.Manifest;
        DateTimeOffset taken = DateTimeOffset.FromUnixTimeMilliseconds(manifest.RealtimeNanoseconds / 1_000_000);
        yield return ("computation", manifest.Computation.ToString("x16"));
        yield return ("generation", manifest.Generation.ToString());
        yield return ("process", $"number {manifest.Member}; the generation has {manifest.ImageCount} {(manifest.ImageCount == 1 ? "image" : "images")}");
        yield return ("taken", taken.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture));
        yield return ("host", manifest.HostName);
        yield return ("kernel", manifest.KernelRelease);
        yield return ("program", $"{manifest.Program} ({manifest.ExePath})");
        yield return ("command line", string.Join(' ', manifest.CommandLine));
        yield return ("directory", manifest.WorkingDirectory);
        yield return ("pid", manifest.Pid.ToString());
        yield return ("parent", manifest.ParentPid.ToString() + ParentNote.Of(image));
        yield return ("group, session", $"{manifest.ProcessGroup}, {manifest.Session}");
        yield return ("user, group", $"{manifest.Uid}, {manifest.Gid}");
        yield return ("threads", string.Join(' ', manifest.Threads));
        yield return ("memory", $"{Bytes(image.Extents.Sum(extent => (long)extent.Bytes))} in {image.Vmas.Length} mappings");
        yield return ("file", Bytes((long)image.Header.FileBytes));
    }

    private static void Print(ImageFile image)
    {
        foreach ((string name, string value) in Facts(image)) Terminal.WriteLine(Terminal.Out, $"{name + ":",-16}{value}");
        Section("descriptors:", image.Manifest.Descriptors.Select(descriptor => $"{descriptor.Fd,4}  {descriptor.Kind,-12} {descriptor.Description}"));
        Section("needed files:", image.Manifest.NeededFiles.Select(file => $"{file.Path} ({Bytes(file.SizeBytes)}, {file.How})"));
        Section("will not survive a restart:", image.Manifest.Losses);
    }

    private static void Section(string heading, IEnumerable<string> lines)
    {
        string[] all = [.. lines];
        if (all.Length == 0) return;
        Terminal.WriteLine(Terminal.Out, heading);
        foreach (string line in all) Terminal.WriteLine(Terminal.Out, $"  {line}");
    }

    private static void PrintJson(ImageFile image) => Json.Print(writer =>
    {
        writer.WriteStartObject();
        foreach ((string name, string value) in Facts(image)) writer.WriteString(name, value);
        writer.WriteStartArray("descriptors");
        foreach (DescriptorNote descriptor in image.Manifest.Descriptors)
        {
            writer.WriteStartObject();
            writer.WriteNumber("fd", descriptor.Fd);
            writer.WriteString("kind", descriptor.Kind);
            writer.WriteString("description", descriptor.Description);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("neededFiles");
        foreach (NeededFile file in image.Manifest.NeededFiles) writer.WriteStringValue(file.Path);
        writer.WriteEndArray();
        writer.WriteStartArray("losses");
        foreach (string loss in image.Manifest.Losses) writer.WriteStringValue(loss);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static string Bytes(long count)
        => count < 1 << 20 ? string.Create(CultureInfo.InvariantCulture, $"{count / 1024.0:0.0} KiB") : string.Create(CultureInfo.InvariantCulture, $"{count / 1048576.0:0.0} MiB");
}
