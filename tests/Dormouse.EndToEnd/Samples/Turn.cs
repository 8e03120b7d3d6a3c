using System.Collections.Concurrent;

namespace Dormouse.EndToEnd.Samples;

/// <summary>Tests run side by side; those whose samples want the same exclusive thing take turns.</summary>
internal sealed class Turn : IDisposable
{
    private static readonly ConcurrentDictionary<string, SemaphoreSlim> s_turns = new();
    private readonly SemaphoreSlim? _taken;

    private Turn(SemaphoreSlim? taken) => _taken = taken;

    /// <summary>Their numbers: one that is taken while a program sleeps gives it another one.</summary>
    public const string PseudoTerminals = "pseudo-terminals";

    public static Task<Turn> TakeAsync(Sample sample, CancellationToken token) => TakeAsync(sample.Exclusive, token);

    /// <param name="exclusive">What is wanted; empty: nothing.</param>
    public static async Task<Turn> TakeAsync(string exclusive, CancellationToken token)
    {
        if (exclusive.Length == 0)
        {
            return new Turn(null);
        }

        SemaphoreSlim turn = s_turns.GetOrAdd(exclusive, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(token);
        return new Turn(turn);
    }

    public void Dispose() => _taken?.Release();
}
