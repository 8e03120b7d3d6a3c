using System.Globalization;
using System.Text.RegularExpressions;
using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>LAMMPS as Debian ships it (molecular dynamics, Open MPI) on two hosts: three generations on changing hosts, and every atom
/// ends where it ends undisturbed, to the last digit.</summary>
[Parallelizable(ParallelScope.None)]
internal sealed partial class HostsApplicationTests
{
    private const string Port = "7801", Program = "/usr/bin/lmp";

    private static readonly string[][] s_places = [["c", "d"], ["b", "a"], ["d", "c"]];

    [Test, CancelAfter(180_000)]
    public async Task Lammps_OnTwoHosts_WakesOnOthers(CancellationToken token)
    {
        if (!File.Exists(Program)) Assert.Ignore("needs the package lammps");
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        string images = Path.Combine(hosts.Shared, "images"), input = Path.Combine(hosts.Shared, "in.melt");
        await File.WriteAllTextAsync(input, Melt, token);
        RunningProcess job = hosts.StartOn("a", "mouse", ["dmlaunch", "-p", Port, "--ckptdir", images, .. Command("a,b", input, "disturbed")]);
        string front = "a";
        foreach (string[] targets in s_places)
        {
            await WaitForStepsAsync(hosts, job, token);
            await hosts.CheckpointAsync(front, "mouse", Port, token);
            await hosts.KillAllAsync(token);

            front = targets[0];
            job = hosts.StartOn(front, "mouse", "dmrestart", "--new-coordinator", "-p", Port, "--hosts", string.Join(',', targets), images);
        }

        int exitCode = await job.ExitCodeAsync(token);
        ToolResult undisturbed = await hosts.RunOnAsync(token, "a", "mouse", Command("a:2", input, "undisturbed"));

        Assert.That((exitCode, undisturbed.ExitCode), Is.EqualTo((0, 0)), hosts.Transcript.ToString());
        string[] atoms = await File.ReadAllLinesAsync(Path.Combine(hosts.Shared, "disturbed"), token);
        Assert.That(atoms, Is.EqualTo(await File.ReadAllLinesAsync(Path.Combine(hosts.Shared, "undisturbed"), token)).And.Length.GreaterThan(864));
        hosts.Passed();
    }

    // Hosts share the processors of this machine: who waits lets others run.
    private static string[] Command(string hosts, string input, string result)
        => ["mpirun.openmpi", "--mca", "mpi_yield_when_idle", "1", "-host", hosts, "-np", "2", Program, "-in", input, "-log", "none", "-var", "result", result];

    /// <summary>Until what was started last has computed for a while.</summary>
    private static async Task WaitForStepsAsync(HostGroup hosts, RunningProcess job, CancellationToken token)
        => await Condition.WaitAsync("steps of the simulation", () =>
        {
            if (job.HasExited) throw hosts.Failure("the job ended early: this machine is fast; give it more steps");
            return (StepLine().Count(job.Output) >= 2, job.Errors);
        }, CheckpointedProgram.Deadline, token);

    private const int Steps = 3000;

    private static string Melt { get; } = string.Create(CultureInfo.InvariantCulture, $$"""
        units lj
        lattice fcc 0.8442
        region box block 0 6 0 6 0 6
        create_box 1 box
        create_atoms 1 box
        mass 1 1.0
        velocity all create 3.0 87287
        pair_style lj/cut 2.5
        pair_coeff 1 1 1.0 1.0 2.5
        neighbor 0.3 bin
        neigh_modify every 20 delay 0 check no
        fix 1 all nve
        thermo 50
        thermo_modify flush yes
        run {{Steps}}
        write_dump all custom ${result} id xu yu zu vx vy vz modify sort id format float %.17g

        """);

    /// <summary>Step, temperature, energies, pressure.</summary>
    [GeneratedRegex("^ +[0-9]+( +-?[0-9.e+]+){5} *$", RegexOptions.Multiline)]
    private static partial Regex StepLine();
}
