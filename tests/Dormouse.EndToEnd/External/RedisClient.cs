using System.Globalization;
using System.Text.RegularExpressions;
using Dormouse.EndToEnd.Harness;

namespace Dormouse.EndToEnd.External;

/// <summary>redis_client.py as a test sees it: one connection, answers that are counted and compared.</summary>
internal sealed partial class RedisClient(RunningProcess process, string stopFile, Func<string, Exception> failure)
{
    public static string Script { get; } = Path.Combine(Built.Root, "tests", "Dormouse.EndToEnd", "External", "redis_client.py");

    /// <summary>Debian's package redis-tools has the server, too: the name by which it is called decides what it is.</summary>
    public static string Server { get; } = "/usr/bin/redis-check-rdb";

    /// <summary>Waits until answers have come that were not there before.</summary>
    /// <param name="server">Must not have ended.</param>
    public async Task WaitForMoreAsync(CancellationToken token, RunningProcess? server = null)
    {
        int before = Answers;
        await Condition.WaitAsync($"more than {before} answers", () =>
        {
            if (process.HasExited) throw failure("the client has ended");
            if (server is { HasExited: true }) throw failure("the server has ended");
            return (Answers > before + 300, $"{Answers} answers");
        }, CheckpointedProgram.Deadline, token);
    }

    /// <summary>Takes the last answers, all of which must be right.</summary>
    public async Task FinishAsync(CancellationToken token)
    {
        await File.WriteAllTextAsync(stopFile, "", token);
        int exitCode = await process.ExitCodeAsync(token);
        if (exitCode != 0 || !process.Output.Contains("\nok, ", StringComparison.Ordinal)) throw failure($"the client ended with {exitCode}: {process.Errors}");
    }

    private int Answers => Counts().Matches(process.Output).LastOrDefault() is { } last ? int.Parse(last.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("^answers ([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex Counts();
}
