using System.Text.Json;
using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Terminal;

/// <summary>At a terminal, under an interactive shell, dmlaunch and dmrestart are jobs as the program itself would be.</summary>
internal sealed class TerminalTests
{
    private const string Prompt = "\\$ ";

    /// <summary>Puts the program to sleep from behind, once it is cat, and ends it.</summary>
    private const string CheckpointFromBehind
        = "(until dmcommand -l 2>/dev/null | grep -q /cat; do sleep 0.05; done; until grep -qs more typed; do sleep 0.05; done; dmcommand -kc > log) &\n";

    [Test, CancelAfter(120_000)]
    public async Task Launched_JobControl_IsTheShells(CancellationToken token) => await TalkAsync(
        token,
        ("dmlaunch --new-coordinator sh -c 'echo up-$((1+1)); exec cat'\n", "up-2"),
        ("hello\n", "hello\r\nhello"),
        ("\u001a", "Stopped"),
        ("fg\n", "cat"),
        ("again\n", "again\r\nagain"),
        ("\u0003", Prompt),
        ("echo status-$?\n", "status-130"),
        ("dmlaunch sleep 100 &\n", "\\[1\\]"),
        ("jobs\n", "Running"),
        ("kill %1; wait %1; echo status-$?\n", "status-143"),
        ("dmlaunch stty size; dmlaunch tty\n", "/dev/pts/"),
        ("dmcommand --quit\n", Prompt));

    [Test, CancelAfter(120_000)]
    public async Task Restarted_JobControl_IsTheShells(CancellationToken token) => await TalkAsync(
        token,
        (CheckpointFromBehind, Prompt),
        ("dmlaunch --new-coordinator sh -c 'echo up-$((1+1)); exec cat'\n", "up-2"),
        ("some\n", "some\r\nsome"),
        ("\u001a", "Stopped"),
        ("echo more > typed; fg\n", "Killed"),
        ("echo status-$?; until grep -q stood log; do sleep 0.05; done; cat log\n", "stood still"),
        ("dmrestart ckpt_*.img\n", "waking"),
        ("more\n", "more\r\nmore"),
        ("\u001a", "Stopped"),
        ("fg\n", "dmrestart"),
        ("even more\n", "more\r\neven more"),
        ("\u0003", Prompt),
        ("echo status-$?\n", "status-130"),
        ("dmrestart ckpt_*.img\n", "waking"),
        ("more\n", "more\r\nmore"),
        ("\u0004", Prompt),
        ("echo status-$?\n", "status-0"));

    /// <summary>Nothing runs in a stopped process, so nothing can be asked of it: the user is told, and the process is not continued.</summary>
    [Test, CancelAfter(120_000)]
    public async Task AStoppedProgram_IsNamed(CancellationToken token) => await TalkAsync(
        token,
        ("dmlaunch --new-coordinator sh -c 'echo up-$((1+1)); exec cat'\n", "up-2"),
        ("hello\n", "hello\r\nhello"),
        ("\u001a", "Stopped"),
        ("dmcommand -c; echo ckpt-$?\n", "stopped, as by \\^Z(.|\\s)*ckpt-1"),
        ("fg\n", "cat"),
        ("and more\n", "more\r\nand more"),
        ("\u0004", Prompt),
        ("echo status-$?\n", "status-0"));

    private static async Task TalkAsync(CancellationToken token, params (string Typed, string Awaited)[] steps)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        program.Variables["PATH"] = $"{Path.Combine(Built.Build, "bin")}:{program.Variables["PATH"]}";
        string script = Path.Combine(Built.Root, "tests", "Dormouse.EndToEnd", "Terminal", "dialogue.py");
        string lines = string.Join('\n', steps.Prepend(("", Prompt)).Select(step => JsonSerializer.Serialize(new[] { step.Item1, step.Item2 })));
        string file = Path.Combine(program.DirectoryPath, "dialogue");
        await File.WriteAllTextAsync(file, lines, token);

        ToolResult result = await program.RunAsync("dialogue", [.. RunMode.User.Prefix, "/bin/sh", "-c", $"cd {program.Work} && exec /usr/bin/python3 {script} < {file}"], token);

        Assert.That(result.ExitCode, Is.Zero, program.Transcript.ToString());
        program.Passed();
    }
}
