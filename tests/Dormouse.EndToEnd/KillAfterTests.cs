using System.Globalization;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>dmcommand --kcheckpoint: the programs do nothing between their images and their end.</summary>
internal sealed class KillAfterTests
{
    [Test, CancelAfter(120_000)]
    public async Task NothingIsSaidTwice(CancellationToken token)
    {
        // As fast as it can, into a pipe, which nobody rolls back.
        const string Script = "import os; i = 0\nwhile not os.path.exists(os.environ['SAMPLE_STOP']):\n  os.write(1, b'%d\\n' % i); i += 1";
        Sample sample = new("counter", "/usr/bin/python3", "-c", Script);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("\n5\n", token);
        List<string> said = [];

        for (int cycle = 0; cycle < 3; cycle++)
        {
            await program.CommandAsync(token, "--kcheckpoint");
            await program.Program.ExitCodeAsync(token);
            said.AddRange(Lines(program.Program));
            await program.RestartAsync(token);
            await program.WaitForOutputAsync("\n", token);
        }

        Assert.That(await program.ExitCodeAsync(token), Is.Zero, program.Transcript.ToString());
        said.AddRange(Lines(program.Program));
        Assert.That(said, Is.EqualTo(Enumerable.Range(0, said.Count).Select(number => number.ToString(CultureInfo.InvariantCulture))));
        program.Passed();
    }

    private static string[] Lines(RunningProcess process) => process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
