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
