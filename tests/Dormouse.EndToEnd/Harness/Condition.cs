using System.Diagnostics;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Harness;

/// <summary>Waiting for something that can be named, with a deadline.</summary>
internal static class Condition
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Asks again and again until <paramref name="isTrue"/> says so.</summary>
    /// <param name="description">What is waited for: "3 processes".</param>
    /// <param name="isTrue">Whether it is so, and what was seen.</param>
    /// <param name="deadline">How long at most.</param>
    /// <param name="token">Ends the wait with the same explanation.</param>
    public static async Task WaitAsync(string description, Func<Task<(bool Done, string Seen)>> isTrue, TimeSpan deadline, CancellationToken token)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (true)
        {
            (bool done, string seen) = await isTrue().ConfigureAwait(false);
            if (done) return;
            if (watch.Elapsed > deadline || token.IsCancellationRequested)
                throw new AssertionException($"waited {watch.Elapsed.TotalSeconds:0.0} s for: {description}; last seen: {seen}");
            await Task.Delay(s_pause, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>The same for what is known without asking anybody.</summary>
    public static Task WaitAsync(string description, Func<(bool Done, string Seen)> isTrue, TimeSpan deadline, CancellationToken token)
        => WaitAsync(description, () => Task.FromResult(isTrue()), deadline, token);
}
