using System.Diagnostics;
using System.Text;
using Dormouse.Launcher.Restart;
using Dormouse.Protocol.Image;

namespace Dormouse.ImageTests;

/// <summary>Images written to a directory of their own and woken by the real restorer, without any coordinator.</summary>
internal sealed class Woken : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dormouse-woken-").FullName;

    /// <summary>Facts that a member printed: name and value, by pid.</summary>
    public Dictionary<long, Dictionary<string, List<long>>> Members { get; } = [];

    /// <summary>Wait statuses that parents saw: (parent, child, status).</summary>
    public List<(long Parent, long Child, long Status)> Children { get; } = [];

    public string Transcript { get; private set; } = "";

    public int ExitCode { get; private set; }

    /// <summary>Writes the images, wakes them and waits until all roots have ended.</summary>
    public static Woken Run(PodChoice pod, int? user, params ImageBuilder[] builders)
    {
        var woken = new Woken();
        woken.Wake(pod, user, null, builders);
        return woken;
    }

    /// <summary>The same at a terminal of its own, at which <paramref name="keys"/> are pressed after all members have spoken.</summary>
    public static Woken RunAtTerminal(int? user, string keys, params ImageBuilder[] builders)
    {
        var woken = new Woken();
        woken.Wake(PodChoice.Always, user, keys, builders);
        return woken;
    }

    public void Dispose() => Directory.Delete(_directory, true);

    private void Wake(PodChoice pod, int? user, string? keys, ImageBuilder[] builders)
    {
        List<ImageFile> images = [];
        foreach (ImageBuilder builder in builders)
        {
            builder.Manifest.Computation = 0xabcd;
            builder.Manifest.Generation = 1;
            builder.Manifest.ImageCount = (uint)builders.Length;
            if (builder.Manifest.Threads.Length == 0) builder.Manifest.Threads = [builder.Manifest.Pid];
            if (builder.Manifest.Program.Length == 0) builder.Manifest.Program = "guest";
            if (user is { } uid) (builder.Manifest.Uid, builder.Manifest.Gid) = ((uint)uid, (uint)uid);
            string path = Path.Combine(_directory, $"ckpt_guest_{builder.Manifest.Member}.img");
            File.WriteAllBytes(path, builder.Build());
            images.Add(ImageFile.Open(path));
        }

        File.SetUnixFileMode(_directory, (UnixFileMode)Convert.ToInt32("755", 8));
        var abilities = new HostAbilities(true, user is not null, "", true, "");
        var options = new RestartOptions { Images = [], Pod = pod };
        var planner = new RestartPlanner(images, options, abilities, keys is not null);
        string plan = Path.Combine(_directory, "plan");
        File.WriteAllBytes(plan, PlanWriter.Write(planner.PlanWith(new CoordinatorContact("127.0.0.1", 7779, new byte[32], -1), 4711)));
        Execute(plan, user, keys, builders.Length);
    }

    private void Execute(string plan, int? user, string? keys, int members)
    {
        string command = user is { } uid ? $"setpriv --reuid {uid} --regid {uid} --clear-groups {Repository.Restorer}" : Repository.Restorer;
        string limited = $"exec timeout --foreground -s KILL 30 {command} 9 9< {plan}";
        var start = new ProcessStartInfo("setsid") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = keys is null ? ["-w", "sh", "-c", limited] : ["-w", "script", "-qec", limited, "/dev/null"];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = ReadAndPress(process, keys, members);
        process.WaitForExit();
        ExitCode = process.ExitCode;
        Parse(output);
        Transcript = output + errors.Result + $"exit code {ExitCode}";
    }

    private static string ReadAndPress(Process process, string? keys, int members)
    {
        var output = new StringBuilder();
        for (string? line; (line = process.StandardOutput.ReadLine()) is not null;)
        {
            output.Append(line.TrimEnd('\r')).Append('\n');
            if (keys is null || !line.StartsWith("member", StringComparison.Ordinal) || --members > 0) continue;
            process.StandardInput.Write(keys);
            process.StandardInput.Flush();
        }

        return output.ToString();
    }

    private void Parse(string output)
    {
        foreach (string line in output.Replace("^C", "", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Dictionary<string, List<long>> facts = [];
            foreach (string word in line.TrimEnd().Split(' ')[1..])
            {
                string[] parts = word.Split('=');
                if (!facts.TryGetValue(parts[0], out List<long>? values)) facts[parts[0]] = values = [];
                values.Add(long.Parse(parts[1]));
            }

            if (line.StartsWith("member", StringComparison.Ordinal)) Members[facts["pid"][0]] = facts;
            else if (line.StartsWith("child", StringComparison.Ordinal)) Children.Add((facts["of"][0], facts["pid"][0], facts["status"][0]));
        }
    }
}
