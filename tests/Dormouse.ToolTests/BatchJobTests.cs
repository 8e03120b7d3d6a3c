using System.Diagnostics;
using System.Text.Json;

namespace Dormouse.ToolTests;

/// <summary>Several batch jobs of one user run on one host at the same time: what one does with its computation does not touch the others.</summary>
internal sealed class BatchJobTests
{
    private Tools _tools = null!;

    [SetUp]
    public void SetUp() => _tools = new Tools();

    [TearDown]
    public void TearDown() => _tools.Dispose();

    [Test, CancelAfter(60_000)]
    [TestCase("SLURM_JOB_ID=11", "SLURM_JOB_ID=12")]
    [TestCase("LSB_JOBID=11 LSB_JOBINDEX=1", "LSB_JOBID=11 LSB_JOBINDEX=2")]
    [TestCase("", "SLURM_JOB_ID=12")]
    public async Task EachJob_HasItsOwnComputation(string first, string second, CancellationToken token)
    {
        using Process one = Launch(first);
        await AwaitPeerAsync(first, token);
        using Process two = Launch(second);
        await AwaitPeerAsync(second, token);

        ToolResult killed = await RunInJobAsync(second, token, "dmcommand", "--kill");

        Assert.That(killed.ExitCode, Is.Zero, killed.Error);
        await two.WaitForExitAsync(token);
        Assert.That(await PeersAsync(first, token), Is.EqualTo(1));
        Assert.That(one.HasExited, Is.False);
        await RunInJobAsync(first, token, "dmcommand", "--kill");
        await one.WaitForExitAsync(token);
    }

    /// <summary>As in "srun --overlap --jobid 11 dmcommand", and in an srun within the job.</summary>
    [Test, CancelAfter(60_000)]
    public async Task WithinAJob_ItsCoordinatorIsFound_AlsoWhenAnotherIsNewer(CancellationToken token)
    {
        using Process one = Launch("SLURM_JOB_ID=11");
        await AwaitPeerAsync("SLURM_JOB_ID=11", token);
        using Process other = Launch("SLURM_JOB_ID=12");
        await AwaitPeerAsync("SLURM_JOB_ID=12", token);

        using Process joined = Launch("SLURM_JOB_ID=11", "-j");
        await Tools.WaitAsync("the second program of the job", async () => await PeersAsync("SLURM_JOB_ID=11", token) == 2, token);
        ToolResult none = await RunInJobAsync("SLURM_JOB_ID=13", token, "dmcommand", "--status");
        ToolResult outside = await RunInJobAsync("", token, "dmcommand", "--status");

        Assert.That(none.ExitCode, Is.EqualTo(3));
        Assert.That(none.Error, Does.Contain("running in Slurm job 13."));
        Assert.That(outside.ExitCode, Is.Zero, outside.Error);
        Assert.That(outside.Error, Does.Match(@"^dmcommand: 2 coordinators of yours are running; this is about the one on port \d+ of Slurm job 1[12]\. --coord-port chooses\.\n$"));
        foreach (string job in new[] { "SLURM_JOB_ID=11", "SLURM_JOB_ID=12" }) await RunInJobAsync(job, token, "dmcommand", "--kill");
        foreach (Process process in new[] { one, other, joined }) await process.WaitForExitAsync(token);
    }

    private Process Launch(string job, params string[] options) => _tools.Start(Variables(job), Tools.PathOf("dmlaunch"), [.. options, "sleep", "1000"]);

    private Task<ToolResult> RunInJobAsync(string job, CancellationToken token, string tool, params string[] arguments)
        => _tools.RunInAsync(token, Variables(job), tool, arguments);

    private Task AwaitPeerAsync(string job, CancellationToken token)
        => Tools.WaitAsync("the program", async () => await PeersAsync(job, token) == 1, token);

    private async Task<int> PeersAsync(string job, CancellationToken token)
    {
        ToolResult status = await RunInJobAsync(job, token, "dmcommand", "--status", "--json");
        return status.ExitCode == 0 ? JsonDocument.Parse(status.Output).RootElement.GetProperty("peers").GetInt32() : -1;
    }

    private static Dictionary<string, string?> Variables(string job)
    {
        Dictionary<string, string?> variables = new() { ["SLURM_JOB_ID"] = null, ["LSB_JOBID"] = null, ["PBS_JOBID"] = null };
        foreach (string word in job.Split(' ', StringSplitOptions.RemoveEmptyEntries)) variables[word.Split('=')[0]] = word.Split('=')[1];
        return variables;
    }
}
