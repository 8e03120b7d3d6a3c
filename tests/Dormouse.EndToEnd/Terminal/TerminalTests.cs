using System.Text.Json;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Terminal;

/// <summary>At a terminal, under an interactive shell, dmlaunch and dmrestart are jobs as the program itself would be.</summary>
internal sealed class TerminalTests
{
    private const string Prompt = "\\$ ";

    /// <summary>Puts the program to sleep from behind, once it is the one that is meant, and ends it.</summary>
    private static string CheckpointFromBehind(string program)
        => $"(until dmcommand -l 2>/dev/null | grep -q /{program}; do sleep 0.05; done; until grep -qs more typed; do sleep 0.05; done; dmcommand -kc > log) &\n";

    /// <summary>A job that was stopped and taken up again sleeps, with a line that it has read.</summary>
    private static readonly (string Typed, string Awaited)[] s_catPutToSleep =
    [
        (CheckpointFromBehind("cat"), Prompt),
        ("dmlaunch --new-coordinator sh -c 'echo up-$((1+1)); exec cat'\n", "up-2"),
        ("some\n", "some\r\nsome"),
        ("\u001a", "Stopped"),
        ("echo more > typed; fg\n", "Killed"),
    ];

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
        [
            .. s_catPutToSleep,
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
            ("echo status-$?\n", "status-0"),
        ]);

    /// <summary>Nothing runs in a stopped process, so nothing can be asked of it: the user is told, and the process is not continued.</summary>
    [Test, CancelAfter(120_000)]
    public async Task AStoppedProgram_IsNamed(CancellationToken token) => await TalkAsync(
        token,
        ("dmlaunch --new-coordinator sh -c 'echo up-$((1+1)); exec cat'\n", "up-2"),
        ("hello\n", "hello\r\nhello"),
        ("\u001a", "Stopped"),
        ("dmcommand -c; echo ckpt-$?\n", "is stopped, as by \\^Z.*kill -CONT \\d+.*ckpt-1"),
        ("fg\n", "cat"),
        ("and more\n", "more\r\nand more"),
        ("\u0004", Prompt),
        ("echo status-$?\n", "status-0"));

    /// <summary>Who edits the line himself must find the terminal as he had set it: typed text is not echoed twice, and keys work.</summary>
    [Test, CancelAfter(120_000)]
    public async Task LineEditor_GoesOnAtAnotherTerminal(CancellationToken token) => await TalkTwiceAsync(
        token,
        [
            (CheckpointFromBehind("python3"), Prompt),
            ("dmlaunch --new-coordinator python3 -q\n", ">>> "),
            ("x = 41\n", ">>> "),
            ("print(x, open('typed', 'w').write('more'), flush=True)\n", "41 4.*Killed"),
        ],
        [
            ("dmrestart ckpt_*.img\n", "waking.*\n"),
            ("print('here', 1 + 1)\n", "here 2\r\n>>> $"),
            ("x + 1\n", "^x \\+ 1\r\n42\r\n>>> $"),
            ("\u001b[A\u0001y = \n", "y = .*>>> $"),
            ("y + 1\n", "^y \\+ 1\r\n43\r\n>>> $"),
            ("\u0003", "KeyboardInterrupt"),
            ("exit()\n", Prompt),
            ("echo status-$?\n", "status-0"),
        ]);

    [Test, CancelAfter(120_000)]
    public async Task Shell_GoesOnAtAnotherTerminal_WithItsJobs(CancellationToken token) => await TalkTwiceAsync(
        token,
        [
            (CheckpointFromBehind("bash"), Prompt),
            ("PS1='in$((1-1))> ' dmlaunch --new-coordinator bash --norc -i\n", "in0> "),
            ("sleep 1000 &\n", "in0> "),
            ("echo more > typed\n", "Killed"),
        ],
        [
            ("dmrestart ckpt_*.img\n", "waking.*\n"),
            ("echo here-$((1+1))\n", "here-2\r\nin0> $"),
            ("jobs\n", "Running.*sleep 1000.*in0> "),
            ("sh -c 'echo up-$((1+1)); exec cat'\n", "up-2"),
            ("text\n", "text\r\ntext"),
            ("\u0003", "in0> "),
            ("kill %1; wait %1; echo status-$?\n", "status-143.*in0> "),
            ("exit 5\n", Prompt),
            ("echo status-$?\n", "status-5"),
        ]);

    // The second makes it the leader of its session, as "ssh -t host dmlaunch vim" does.
    [TestCase("dmlaunch --new-coordinator vim -u NONE text"), CancelAfter(120_000)]
    [TestCase("script -qc 'exec dmlaunch --new-coordinator vim -u NONE text' /dev/null")]
    public async Task Editor_DrawsItsScreenAtAnotherTerminal(string launch, CancellationToken token)
    {
        if (!File.Exists("/usr/bin/vim")) Assert.Ignore("vim is not installed");
        await TalkTwiceAsync(
            token,
            [
                (CheckpointFromBehind("vim"), Prompt),
                ($"TERM=xterm {launch}\n", "text"),
                ("ifirst line\u001b", "first line"),
                (":!echo more > typed\n", "Killed|" + Prompt),
            ],
            [
                ("stty rows 30 cols 60\n", Prompt),
                ("dmrestart ckpt_*.img\n", "waking.*\n"),
                ("\n", "first line"),
                ("osecond line\u001b", "second line"),
                (":wq\n", Prompt),
                ("cat text; stty -a | grep -o ' icanon'\n", "first line\r\nsecond line\r\n icanon"),
            ]);
    }

    /// <summary>dmrestart &amp; does not take the terminal away from the shell.</summary>
    [Test, CancelAfter(120_000)]
    public async Task RestartInTheBackground_LeavesTheTerminal(CancellationToken token) => await TalkAsync(
        token,
        [
            .. s_catPutToSleep,
            ("until grep -q stood log; do sleep 0.05; done; dmrestart -q ckpt_*.img &\n", Prompt),
            ("until jobs | grep -q Stopped; do sleep 0.05; done; echo here-$((1+1))\n", "here-2"),
            ("fg\n", "dmrestart"),
            ("more\n", "more\r\nmore"),
            ("\u0004", Prompt),
            ("echo status-$?\n", "status-0"),
        ]);

    private static async Task TalkAsync(CancellationToken token, params (string Typed, string Awaited)[] steps) => await TalkTwiceAsync(token, steps);

    /// <summary>Each dialogue is at a terminal of its own, in the same directory.</summary>
    private static async Task TalkTwiceAsync(CancellationToken token, params (string Typed, string Awaited)[][] dialogues)
    {
        using Turn turn = await Turn.TakeAsync(Turn.PseudoTerminals, token);
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        program.Variables["PATH"] = $"{Path.Combine(Built.Build, "bin")}:{program.Variables["PATH"]}";
        foreach ((string Typed, string Awaited)[] dialogue in dialogues) await TalkAsync(program, dialogue, token);
        program.Passed();
    }

    private static async Task TalkAsync(CheckpointedProgram program, (string Typed, string Awaited)[] steps, CancellationToken token)
    {
        string script = Path.Combine(Built.Root, "tests", "Dormouse.EndToEnd", "Terminal", "dialogue.py");
        string lines = string.Join('\n', steps.Prepend(("", Prompt)).Select(step => JsonSerializer.Serialize(new[] { step.Item1, step.Item2 })));
        string file = Path.Combine(program.DirectoryPath, "dialogue");
        await File.WriteAllTextAsync(file, lines, token);

        ToolResult result = await program.RunAsync("dialogue", [.. RunMode.User.Prefix, "/bin/sh", "-c", $"cd {program.Work} && exec /usr/bin/python3 {script} < {file}"], token);

        Assert.That(result.ExitCode, Is.Zero, program.Transcript.ToString());
    }
}
