using System.Diagnostics;

namespace Dormouse.ToolTests;

/// <summary>A program finds itself under dmlaunch as it would without it.</summary>
internal sealed class TransparencyTests
{
    private Tools _tools = null!;

    [SetUp]
    public void SetUp() => _tools = new Tools();

    [TearDown]
    public void TearDown() => _tools.Dispose();

    /// <summary>Dispositions, mask, limits, descriptors and umask, set to something unusual by a shell that then becomes the tool. Sockets do
    /// not count: the only one is our own, at a high number.</summary>
    [TestCase("")]
    [TestCase("trap '' PIPE;")]
    [TestCase("trap '' CHLD HUP USR1;")]
    [TestCase("ulimit -Sn 100; umask 027; exec 7</dev/null 9>&1;")]
    [TestCase("exec 0<&-;")]
    [TestCase("exec 2>&-;")]
    [CancelAfter(30_000)]
    public async Task SignalsLimitsAndDescriptors_AreTheProgramsOwn(string setUp, CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");
        const string Look = "'while [ ! -e go ]; do sleep 0.02; done; grep -E \"^(Sig(Blk|Ign|Cgt)|Umask)\" /proc/self/status; ulimit -Sn; ulimit -Hn; for f in /proc/$$/fd/*; do case $(readlink $f) in socket:*) ;; *) echo ${f##*/};; esac; done; exit 5'";

        Task<(int, string)> running = ShellAsync($"{setUp} exec {Tools.PathOf("dmlaunch")} sh -c {Look}", token);
        await Tools.WaitAsync("the program to join", async () => await _tools.PeersAsync(token) > 0, token);
        await File.WriteAllTextAsync(Path.Combine(_tools.Home, "go"), "", token);
        (int launchedCode, string launched) = await running;
        (int nativeCode, string native) = await ShellAsync($"{setUp} exec sh -c {Look}", token);

        Assert.That(launched, Is.EqualTo(native));
        Assert.That(launchedCode, Is.EqualTo(nativeCode).And.EqualTo(5));
    }

    [Test, CancelAfter(30_000)]
    public async Task ArgumentsThatAreNotUtf8_ArriveAsTheyAre(CancellationToken token)
    {
        (int code, string output) = await ShellAsync($"exec {Tools.PathOf("dmlaunch")} -p 0 -q -- printf '%s|' a \"$(printf '\\377\\376')\" -c '' --help | od -An -tx1", token);

        Assert.That(code, Is.Zero);
        Assert.That(output.Replace("\n", "", StringComparison.Ordinal).Trim(), Is.EqualTo("61 7c ff fe 7c 2d 63 7c 7c 2d 2d 68 65 6c 70 7c"));
    }

    [Test, CancelAfter(30_000)]
    public async Task ASignalThatKills_IsTheExitStatus(CancellationToken token)
    {
        (int code, _) = await ShellAsync($"{Tools.PathOf("dmlaunch")} -p 0 sh -c 'kill -TERM $$'; exit $?", token);

        Assert.That(code, Is.EqualTo(128 + 15));
    }

    [Test, CancelAfter(30_000)]
    public async Task StandardInput_IsTheProgramsOwn(CancellationToken token)
    {
        (_, string output) = await ShellAsync($"printf 'one\\ntwo\\n' | {{ {Tools.PathOf("dmlaunch")} -p 0 head -c 4; cat; }}", token);

        Assert.That(output, Is.EqualTo("one\ntwo\n"));
    }

    [Test, CancelAfter(60_000)]
    public async Task ATool_StartsInUnder15Milliseconds(CancellationToken token)
    {
        List<double> times = [];
        for (int i = 0; i < 20; i++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            await _tools.RunAsync(token, "dmcommand", "--version");
            times.Add(watch.Elapsed.TotalMilliseconds);
        }

        times.Sort();
        TestContext.Out.WriteLine($"dmcommand --version, with starting and reaping it: {times[0]:0.0} ms at best, {times[10]:0.0} ms median");
        Assert.That(times[0], Is.LessThan(15));
    }

    private async Task<(int ExitCode, string Output)> ShellAsync(string script, CancellationToken token)
    {
        using Process shell = _tools.Start([], "/bin/bash", "-c", script);
        shell.StandardInput.Close();
        Task<string> output = shell.StandardOutput.ReadToEndAsync(token);
        await shell.WaitForExitAsync(token);
        return (shell.ExitCode, await output);
    }
}
