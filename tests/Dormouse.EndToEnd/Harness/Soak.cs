using System.Diagnostics;
using System.Globalization;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Harness;

/// <summary>Cycles of checkpoint, kill and restart, and how long they took.</summary>
/// <param name="name">Of the program.</param>
internal sealed class Soak(string name)
{
    private readonly List<double> _standstills = [];
    private readonly List<double> _restarts = [];

    /// <summary>How often the tests of the category "soak" repeat: DORMOUSE_SOAK_CYCLES, which ./run soak CYCLES sets.</summary>
    public static int Cycles(int usual)
        => int.TryParse(Environment.GetEnvironmentVariable("DORMOUSE_SOAK_CYCLES"), CultureInfo.InvariantCulture, out int cycles) ? cycles : usual;

    /// <summary>One cycle, after the program has run for a moment that nobody has chosen.</summary>
    public async Task CycleAsync(CheckpointedProgram program, CancellationToken token)
    {
        await program.RunForRandomTimeAsync(token).ConfigureAwait(false);
        CheckpointReport report = await program.CheckpointAsync(token).ConfigureAwait(false);
        _standstills.Add(report.Standstill.TotalMilliseconds);
        await program.KillAsync(token).ConfigureAwait(false);
        Stopwatch watch = Stopwatch.StartNew();
        await program.RestartAsync(token).ConfigureAwait(false);
        _restarts.Add(watch.Elapsed.TotalMilliseconds);
    }

    /// <summary>A line for people, at once.</summary>
    public void Report()
        => TestContext.Progress.WriteLine($"{name}: {_restarts.Count} cycles without a failure; stood still {Figures(_standstills)}; waking {Figures(_restarts)}");

    private static string Figures(List<double> milliseconds)
    {
        milliseconds.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds[milliseconds.Count / 2]:0} ms (95 %: {milliseconds[milliseconds.Count * 95 / 100]:0}, longest {milliseconds[^1]:0})");
    }
}
