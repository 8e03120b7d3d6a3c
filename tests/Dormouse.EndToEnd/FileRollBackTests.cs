using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Files that change between the checkpoint and the restart: they roll back with memory, and nothing is lost.</summary>
internal sealed class FileRollBackTests
{
    private const string Old = "as it was at the checkpoint\n";

    [Test, CancelAfter(60_000)]
    public async Task OverwrittenFile_IsAsItWas_AndTheNewerContentsAreBeside(CancellationToken token)
    {
        await using CheckpointedProgram program = await HoldAsync('u', "file", Old, token);
        string file = Path.Combine(program.Work, "file");

        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        foreach (string newer in new[] { "newer and longer than it was at the checkpoint\n", "short\n" })
        {
            await File.WriteAllTextAsync(file, newer, token);
            await program.RestartAsync(token);
            Assert.That(await File.ReadAllTextAsync(file, token), Is.EqualTo(Old), program.Transcript.ToString());
            await program.KillAsync(token);
        }

        Assert.That(Beside(program), Is.EqualTo(new[] { "newer and longer than it was at the checkpoint\n", "short\n" }), program.Transcript.ToString());
        Assert.That(program.Program.Errors, Does.Contain($"{file} is again what it was at the checkpoint; what it had become is in {file}.after-checkpoint-1.2"));
        program.Passed();
    }

    [Test, CancelAfter(60_000)]
    [TestCase('w'), TestCase('a'), TestCase('u')]
    public async Task GrownFile_IsCutBack_AndTheTailIsBeside(char mode, CancellationToken token)
    {
        await using CheckpointedProgram program = await HoldAsync(mode, "file", Old, token);
        string file = Path.Combine(program.Work, "file");

        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        await File.AppendAllTextAsync(file, "later\n", token);
        await program.RestartAsync(token);

        Assert.That(await File.ReadAllTextAsync(file, token), Is.EqualTo(Old), program.Transcript.ToString());
        Assert.That(Beside(program), Is.EqualTo(new[] { "later\n" }), program.Transcript.ToString());
        await program.AssertContentAsync(Holding, token);
    }

    [Test, CancelAfter(60_000)]
    public async Task RemovedFile_ComesBack_WithItsModeAndTime(CancellationToken token)
    {
        await using CheckpointedProgram program = await HoldAsync('u', "file", Old, token);
        string file = Path.Combine(program.Work, "file");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        DateTime time = File.GetLastWriteTimeUtc(file);

        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        File.Delete(file);
        await program.RestartAsync(token);

        Assert.That(await File.ReadAllTextAsync(file, token), Is.EqualTo(Old), program.Transcript.ToString());
        Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead));
        Assert.That(File.GetLastWriteTimeUtc(file), Is.EqualTo(time));
        await program.AssertContentAsync(Holding, token);
    }

    /// <summary>Too large for the image: it is never silently wrong.</summary>
    [Test, CancelAfter(60_000)]
    public async Task LargeFile_ThatHasChanged_IsRefused_OrAcceptedWhenAskedTo(CancellationToken token)
    {
        string old = new('x', 3 << 20);
        await using CheckpointedProgram program = await HoldAsync('u', "large", old, token);
        string file = Path.Combine(program.Work, "large");

        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        await program.RestartAsync(token);
        await program.KillAsync(token);
        await File.WriteAllTextAsync(file, new string('y', 3 << 20), token);
        RunningProcess refused = program.StartRestart([.. report.Images.Select(image => image.Path)], "/");
        int exitCode = await refused.ExitCodeAsync(token);
        RunningProcess accepted = program.StartRestart([.. report.Images.Select(image => image.Path)], "/", "--accept-changed-files");
        await program.WaitForMembersAsync(seen => seen == 1, "the program to wake", token);
        await program.WaitUntilRunningAsync(token);

        Assert.That(exitCode, Is.EqualTo(125), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain($"{file} has changed since the checkpoint"));
        Assert.That(accepted.Errors, Does.Contain($"{file} has changed since the checkpoint"));
        Assert.That((await File.ReadAllTextAsync(file, token))[0], Is.EqualTo('y'));
        await program.KillAsync(token);
        program.Passed();
    }

    [Test, CancelAfter(60_000)]
    public async Task LargeOutput_IsCutBack_UnlessItsBodyHasChanged(CancellationToken token)
    {
        string old = new('x', 3 << 20);
        await using CheckpointedProgram program = await HoldAsync('w', "large", old, token);
        string file = Path.Combine(program.Work, "large");

        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        await File.AppendAllTextAsync(file, "later\n", token);
        await program.RestartAsync(token);
        await program.KillAsync(token);
        long length = new FileInfo(file).Length;
        await File.WriteAllTextAsync(file, string.Concat("y", old.AsSpan(1), "later\n"), token);
        RunningProcess refused = program.StartRestart([.. report.Images.Select(image => image.Path)], "/");
        int exitCode = await refused.ExitCodeAsync(token);

        Assert.That(length, Is.EqualTo(old.Length), program.Transcript.ToString());
        Assert.That(Beside(program), Is.EqualTo(new[] { "later\n" }), program.Transcript.ToString());
        Assert.That(exitCode, Is.EqualTo(125), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain($"{file} has changed in its first {old.Length} bytes since the checkpoint"));
        program.Passed();
    }

    [Test, CancelAfter(60_000)]
    public async Task NewerJournal_OfADatabase_IsMovedAside(CancellationToken token)
    {
        await using CheckpointedProgram program = await HoldAsync('u', "bank.db", "SQLite format 3\0 and so on", token);
        string journal = Path.Combine(program.Work, "bank.db-journal");

        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        await File.WriteAllTextAsync(journal, "pages of a later transaction", token);
        await program.RestartAsync(token);

        Assert.That(File.Exists(journal), Is.False, program.Transcript.ToString());
        Assert.That(Beside(program), Is.EqualTo(new[] { "pages of a later transaction" }), program.Transcript.ToString());
        await program.AssertContentAsync(Holding, token);
    }

    [Test, CancelAfter(60_000)]
    public async Task ChangedInput_IsNamed(CancellationToken token)
    {
        await using CheckpointedProgram program = await HoldAsync('r', "input", Old, token);
        string file = Path.Combine(program.Work, "input");

        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        await File.WriteAllTextAsync(file, "other data\n", token);
        await program.RestartAsync(token);

        Assert.That(program.Program.Errors, Does.Contain($"{file}, which hold-files is reading (fd 3), has changed since the checkpoint"));
        await program.AssertContentAsync(Holding, token);
    }

    /// <summary>dmlaunch ./app > out.txt</summary>
    [Test, CancelAfter(60_000)]
    [TestCase(">"), TestCase(">>")]
    public async Task RedirectedOutput_GoesOnInItsFile(string redirection, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        string output = Path.Combine(program.Work, "out.txt");
        program.LaunchThroughShell($"{redirection} {output}", Built.Sample("counter"));
        await Condition.WaitAsync("lines in the output", () => (Lines(output).Length > 5, $"{Lines(output).Length} lines"), CheckpointedProgram.Deadline, token);

        for (int cycle = 0; cycle < 3; cycle++)
        {
            await program.CheckpointAsync(token);
            await CheckpointedProgram.RunForAsync(TimeSpan.FromMilliseconds(50), token);
            await program.KillAsync(token);
            await program.RestartAsync(token);
        }

        int exitCode = await program.ExitCodeAsync(token);

        Assert.That(exitCode, Is.Zero, program.Transcript.ToString());
        string[] lines = Lines(output);
        Assert.That(lines[..^1], Is.EqualTo(Enumerable.Range(0, lines.Length - 1).Select(number => $"line {number}")), program.Transcript.ToString());
        Assert.That(lines[^1], Does.StartWith("ok "));
        program.Passed();
    }

    /// <summary>A job script that writes to the file, too, and which the batch system starts again with the file emptied.</summary>
    [Test, CancelAfter(60_000)]
    public async Task OutputOfAScript_ThatWakesTheProgram_IsOneSequence(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        string output = Path.Combine(program.Work, "out.txt");
        program.LaunchThroughShell($"> {output} 2>&1", Built.Sample("counter"));
        await Condition.WaitAsync("lines in the output", () => (Lines(output).Length > 20, $"{Lines(output).Length} lines"), CheckpointedProgram.Deadline, token);
        await program.CheckpointAsync(token);
        await program.KillAsync(token);

        await program.RestartThroughShellAsync($"(echo again; $RESTART; echo script ended) > {output} 2>&1", token);
        int exitCode = await program.ExitCodeAsync(token);

        Assert.That(exitCode, Is.Zero, program.Transcript.ToString());
        string[] lines = Lines(output), own = [.. lines.Where(line => line.StartsWith("line ", StringComparison.Ordinal))];
        Assert.That(own, Is.EqualTo(Enumerable.Range(0, own.Length).Select(number => $"line {number}")), program.Transcript.ToString());
        Assert.That(lines, Has.Some.StartsWith("dmrestart: ").And.Length.GreaterThan(20), program.Transcript.ToString());
        Assert.That(lines[^2], Does.StartWith("ok "));
        Assert.That(lines[^1], Is.EqualTo("script ended"));
        program.Passed();
    }

    private static Sample Holding => new("hold-files", "hold-files");

    private static string[] Lines(string path) => File.Exists(path) ? File.ReadAllLines(path) : [];

    /// <summary>Contents of all that was kept, in the order of the names.</summary>
    private static string[] Beside(CheckpointedProgram program)
        => [.. Directory.GetFiles(program.Work, "*.after-checkpoint-*").Order(StringComparer.Ordinal).Select(File.ReadAllText)];

    private static async Task<CheckpointedProgram> HoldAsync(char mode, string name, string contents, CancellationToken token)
    {
        Dictionary<string, string> variables = new() { ["DORMOUSE_FILE_LIMIT"] = "2" };
        CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, variables, token);
        string file = Path.Combine(program.Work, name);
        await File.WriteAllTextAsync(file, contents, token);
        if (program.Mode.Owner is { } owner) await program.RunAsync("chown", ["chown", owner, file], token);
        RunningProcess process = program.LaunchAnother("hold-files", Built.Sample("hold-files"), $"{mode}:{file}");
        await program.WaitForOutputAsync(process, "ready", token);
        return program;
    }
}
