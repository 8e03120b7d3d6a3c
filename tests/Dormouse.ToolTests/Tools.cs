using System.Diagnostics;
using System.Text.Json;

namespace Dormouse.ToolTests;

/// <summary>What a tool said and how it ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>The tools as built, with a runtime directory and a checkpoint directory of their own.</summary>
internal sealed class Tools : IDisposable
{
    /// <summary>DORMOUSE_TEST_BIN tests an installed Dormouse.</summary>
    private static readonly string s_bin = Environment.GetEnvironmentVariable("DORMOUSE_TEST_BIN") ?? Path.Combine(FindRepository(), "build", "bin");

    public Tools()
    {
        Home = Directory.CreateTempSubdirectory("dormouse-tools-").FullName;
        RuntimeDirectory = Path.Combine(Home, "runtime");
        Images = Path.Combine(Home, "images");
        Directory.CreateDirectory(Images);
    }

    public string Home { get; }

    public string RuntimeDirectory { get; }

    public string Images { get; }

    public static string PathOf(string tool) => Path.Combine(s_bin, tool);

    public Task<ToolResult> RunAsync(CancellationToken token, string tool, params string[] arguments) => RunInAsync(token, [], tool, arguments);

    public async Task<ToolResult> RunInAsync(CancellationToken token, Dictionary<string, string?> environment, string tool, params string[] arguments)
    {
        using Process process = Start(environment, PathOf(tool), arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(token), error = process.StandardError.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        return new ToolResult(process.ExitCode, await output, await error);
    }

    public Process Start(Dictionary<string, string?> environment, string path, params string[] arguments)
    {
        ProcessStartInfo start = new(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Home };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("DORMOUSE_", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
        start.Environment["DORMOUSE_RUNTIME_DIR"] = RuntimeDirectory;
        start.Environment["DORMOUSE_CHECKPOINT_DIR"] = Images;
        foreach ((string name, string? value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Processes attached to the newest coordinator; -1: there is none.</summary>
    public async Task<int> PeersAsync(CancellationToken token)
    {
        ToolResult status = await RunAsync(token, "dmcommand", "--status", "--json");
        return status.ExitCode == 0 ? JsonDocument.Parse(status.Output).RootElement.GetProperty("peers").GetInt32() : -1;
    }

    public static async Task WaitAsync(string what, Func<Task<bool>> condition, CancellationToken token)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), $"waited 20 s for {what}");
            await Task.Delay(20, token);
        }
    }

    /// <summary>Tells every coordinator that is left to end.</summary>
    public void Dispose()
    {
        foreach (string record in Directory.Exists(RuntimeDirectory) ? Directory.GetFiles(RuntimeDirectory, "coordinator-*.json") : [])
        {
            string port = Path.GetFileNameWithoutExtension(record)["coordinator-".Length..];
            using Process quit = Start([], PathOf("dmcommand"), "-p", port, "--quit");
            quit.WaitForExit(10_000);
        }

        Directory.Delete(Home, recursive: true);
    }

    private static string FindRepository()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Launcher.sln"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("The tests must lie inside the repository.");
    }
}
