using Dormouse.EndToEnd.Harness;

namespace Dormouse.EndToEnd.Samples;

/// <summary>One program that is put to sleep, and how it is started.</summary>
/// <param name="Name">Names the test.</param>
/// <param name="Command">Program and arguments; the program as <see cref="Resolve"/> finds it.</param>
internal sealed record Sample(string Name, params string[] Command)
{
    /// <summary>The same result in every run with the same number of steps, so that an undisturbed run can be compared.</summary>
    public bool HasChecksum { get; init; }

    /// <summary>Variables it needs.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>What only one program of the host can have at a time, such as the number of a pseudo-terminal; empty: nothing.</summary>
    public string Exclusive { get; init; } = "";

    /// <summary>The command with full paths: names without a slash are samples; interpreters are the system's own.</summary>
    public string[] Resolve()
        => [.. Command.Select((word, index) => word.StartsWith('@') ? Built.Sample(word[1..]) : index == 0 && !word.Contains('/', StringComparison.Ordinal) ? Built.Sample(word) : word)];

    public override string ToString() => Name;
}
