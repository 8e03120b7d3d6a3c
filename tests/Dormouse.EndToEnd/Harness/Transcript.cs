using System.Diagnostics;
using System.Text;

namespace Dormouse.EndToEnd.Harness;

/// <summary>All that was run and said in a test, in order, with the time since its start.</summary>
internal sealed class Transcript
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly StringBuilder _text = new();
    private readonly List<string> _commands = [];
    private readonly Lock _lock = new();

    public void Add(string who, string line)
    {
        lock (_lock) _text.AppendLine($"{_watch.Elapsed.TotalSeconds,7:0.000} {who}: {line}");
    }

    /// <summary>A command that somebody can repeat by hand.</summary>
    public void AddCommand(string line)
    {
        lock (_lock) _commands.Add(line);
        Add("$", line);
    }

    public string Commands
    {
        get { lock (_lock) return string.Join('\n', _commands); }
    }

    public override string ToString()
    {
        lock (_lock) return _text.ToString();
    }
}
