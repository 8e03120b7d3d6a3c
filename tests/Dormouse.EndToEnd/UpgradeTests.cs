using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>An image outlives the Dormouse that has made it: its library may be replaced or removed.</summary>
internal sealed class UpgradeTests
{
    [Test, CancelAfter(90_000)]
    public async Task Image_WakesAfterItsLibraryWasReplaced_AgainAndAgain([Values("replaced", "removed")] string change, CancellationToken token)
    {
        Sample sample = new("threads", "threads") { HasChecksum = true };
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, sample.Variables, token);
        string old = Path.Combine(program.DirectoryPath, "old");
        await Install(program, old, token);
        RunningProcess process = program.LaunchFrom(Path.Combine(old, "bin", "dmlaunch"), sample.Name, sample.Resolve());
        await program.WaitForOutputAsync(process, "ready", token);

        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        Change(Path.Combine(old, "lib", "dormouse"), change);
        for (int cycle = 0; cycle < 2; cycle++)
        {
            await program.RestartAsync(token);
            await program.CheckpointAsync(token);
            await program.KillAsync(token);
        }

        await program.RestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>What is started after the restart belongs to the computation, with the library of the Dormouse that has woken it.</summary>
    [Test, CancelAfter(90_000)]
    public async Task ProgramStartedLater_GetsTheLibraryThatIsThere(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        string old = Path.Combine(program.DirectoryPath, "old"), turn = Path.Combine(program.Work, "turn");
        await Install(program, old, token);
        string script = $"echo shell ready; until [ -e {turn} ]; do sleep 0.05; done; {Built.Sample("hello")} & wait $!";
        await program.WaitForOutputAsync(program.LaunchFrom(Path.Combine(old, "bin", "dmlaunch"), "shell", ["bash", "-c", script]), "shell ready", token);
        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        Directory.Delete(old, recursive: true);
        await program.RestartAsync(token);

        await File.WriteAllTextAsync(turn, "", token);
        await program.WaitForOutputAsync("ready", token);
        await program.WaitForMembersAsync(members => members == 2, "the shell and the program", token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        Assert.That(program.Transcript.ToString(), Does.Not.Contain("cannot be preloaded"));
        await program.AssertContentAsync(new Sample("hello", "hello"), token);
    }

    private static async Task Install(CheckpointedProgram program, string directory, CancellationToken token)
    {
        foreach (string part in new[] { "bin", "lib" })
        {
            Directory.CreateDirectory(Path.Combine(directory, part));
            await program.RunAsync("install", ["cp", "-a", Path.Combine(Built.Build, part, "."), Path.Combine(directory, part)], token);
        }
    }

    // Replaced as a package manager does it: another file takes the name.
    private static void Change(string library, string change)
    {
        foreach (string file in Directory.GetFiles(library, "libdormouse.*"))
        {
            File.Delete(file);
            if (change == "replaced") File.WriteAllText(file, "another version");
        }
    }
}
