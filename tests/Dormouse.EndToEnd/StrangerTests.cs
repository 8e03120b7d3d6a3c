using System.Globalization;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>
/// Programs that cannot be checkpointed run among those of a computation as they always do. While one of them lives a checkpoint is
/// refused in a sentence that names it; afterwards it works.
/// </summary>
internal sealed class StrangerTests
{
    private const string Busybox = "/bin/busybox";

    [Test, CancelAfter(60_000)]
    [TestCase("busybox", Busybox + " sleep 1000 &", "is a static program")]
    [TestCase("script", "printf '#!/bin/busybox sh\\nexec /bin/busybox sleep 1000\\n' > script; chmod +x script; ./script &", "is a static program")]
    [TestCase("32 bits", "LEAN -m32 &", "is a 32-bit program")]
    [TestCase("musl", "echo 'int main(void) { puts(\"musl runs\"); fflush(stdout); sleep(1000); }' | musl-gcc -w -include stdio.h -include unistd.h -xc - -o musl; ./musl &", "is linked with another C library")]
    [TestCase("raw execve", "PAST-LIBC execve & until grep -q sleep /proc/$!/comm; do sleep 0.01; done", "past libc (execve)")]
    [TestCase("raw fork", "PAST-LIBC fork & until read -d ' ' PID < /proc/$!/task/$!/children; do sleep 0.01; done", "past libc (clone)")]
    [TestCase("PID namespace", "unshare --pid --fork sleep 1000 & until read -d ' ' PID < /proc/$!/task/$!/children; do sleep 0.01; done", "lives in a PID namespace of its own")]
    [TestCase("chroot", "mkdir root; python3 -c 'import os, time; child = os.fork(); child or os.chroot(\"root\"); child and open(\"new\", \"w\").write(str(child)); child and os.rename(\"new\", \"child\"); time.sleep(1000)' & until [ -e child ]; do sleep 0.01; done; PID=$(cat child)", "lives in a root directory of its own (chroot)")]
    [TestCase("exec into a static program", Busybox + " true; bash -c 'exec " + Busybox + " sleep 1000' &", "is a static program")]
    [TestCase("daemon", "setsid -f " + Busybox + " sleep 1000; until PID=$(pgrep -f '^/bin/busybox sleep 1000$' -u $(id -u) -n); do sleep 0.01; done", "is a static program")]
    public async Task Stranger_RunsAsAlways_AndIsNamedByACheckpoint(string kind, string start, string reason, CancellationToken token)
    {
        if (!File.Exists(Busybox)) Assert.Ignore("needs busybox-static");
        if (kind == "musl" && !File.Exists("/usr/bin/musl-gcc")) Assert.Ignore("needs musl-tools");
        const string Lean = "echo 'void _start(void) { for (;;) { int n = 29; __asm__ volatile(\"int $0x80\" : \"+a\"(n)); } }' | gcc -m32 -nostdlib -static -fno-pie -no-pie -xc - -o lean; ./lean";
        string script = $"PID=; {start.Replace("LEAN -m32", Lean, StringComparison.Ordinal).Replace("PAST-LIBC", Built.Sample("past-libc"), StringComparison.Ordinal)}\necho ${{PID:-$!}} > pid.new; mv pid.new stranger; exec {Built.Sample("hello")}";
        Sample sample = new(kind, "/bin/bash", "-c", script);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, kind is "PID namespace" or "chroot" ? RunMode.Root : RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        int stranger = int.Parse(await File.ReadAllTextAsync(Path.Combine(program.Work, "stranger"), token), CultureInfo.InvariantCulture);

        try
        {
            ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

            Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
            Assert.That(refused.Errors, Does.Contain($"pid {stranger} (").And.Contain(reason).And.Contain("Try again when it has ended"), program.Transcript.ToString());
            Assert.That(refused.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1), program.Transcript.ToString());
            if (kind == "musl") await program.WaitForOutputAsync("musl runs", token);
        }
        finally
        {
            ComputationProcesses.KillOne(stranger);
        }

        await program.CheckpointAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>It would come back among the others, with other files, another host name or other users.</summary>
    [Test, CancelAfter(60_000)]
    [TestCase("mount", "--mount"), TestCase("UTS", "--uts"), TestCase("IPC", "--ipc")]
    public async Task ProgramInANamespaceOfItsOwn_IsNamed(string kind, string option, CancellationToken token)
    {
        Sample sample = new(kind, "/bin/bash", "-c", $"unshare {option} {Built.Sample("hello")} & exec {Built.Sample("hello")}");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        await program.WaitForOutputAsync("ready\nready\n", token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain($"(hello) lives in a {kind} namespace of its own").Or.Contain($"(hello): it lives in a {kind} namespace of its own"), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>What it has started is no child of anybody here. Any program of this name stands for Slurm's.</summary>
    [Test, CancelAfter(60_000)]
    public async Task Srun_IsNamed_WithAWayOut(CancellationToken token)
    {
        Sample sample = new("srun", "/bin/bash", "-c", $"cp {Built.Sample("hello")} srun; ./srun & exec {Built.Sample("hello")}");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready\nready\n", token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("(srun)").And.Contain("started by Slurm's daemons").And.Contain("OMPI_MCA_plm=rsh"), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>One that is traced gets no signal that its tracer does not let pass, and the tracer would stand still first.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ProgramThatAMemberTraces_IsNamed(CancellationToken token)
    {
        Sample sample = new("tracer", "tracer", "@hello");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Match(@"pid \d+ \(hello\).* is traced by .*pid \d+ \(tracer\)"), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>The kernel wants a process without other threads for it.</summary>
    [Test, CancelAfter(60_000)]
    public async Task UserNamespaces_AreMadeAsAlways_AndNamedByACheckpoint(CancellationToken token)
    {
        const string Script = """
            for i in $(seq 60); do
                unshare --user --map-root-user sh -c 'test $(id -u) = 0' || { echo "unshare $i failed"; exit 1; }
            done
            unshare --user --map-root-user sh -c 'echo within; while ! test -e "$SAMPLE_STOP"; do sleep 0.1; done'
            """;
        Sample sample = new("user-namespaces", "/bin/sh", "-c", Script);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        while (!program.Program.Output.Contains("within", StringComparison.Ordinal) && !program.Program.HasExited)
        {
            // Some are refused, since one lives in its namespace at that moment.
            await program.TryCommandAsync(token, "--checkpoint");
        }

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("lives in a user namespace of its own"), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>The parent has been replaced by a static program; nobody else in the computation would miss it.</summary>
    [Test, CancelAfter(60_000)]
    public async Task MemberThatBecomesAStaticProgram_IsMissed(CancellationToken token)
    {
        if (!File.Exists(Busybox)) Assert.Ignore("needs busybox-static");
        Sample sample = new("becomes static", "/bin/bash", "-c", $"{Built.Sample("hello")} & exec {Busybox} sleep 1000");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("(busybox) is a static program"), program.Transcript.ToString());
        program.Passed();
    }

    [Test, CancelAfter(60_000)]
    public async Task SetuidProgram_IsNamed(CancellationToken token)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("needs root: it makes a setuid program");
        string directory = Directory.CreateTempSubdirectory("dme2e-setuid-").FullName;
        string setuid = Path.Combine(directory, "sleep-as-root");
        File.Copy("/bin/sleep", setuid);
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(setuid, UnixFileMode.SetUser | (UnixFileMode)0b111_101_101);
        Sample sample = new("setuid", "/bin/bash", "-c", $"{setuid} 1000 & echo $! > pid.new; mv pid.new stranger; exec {Built.Sample("hello")}");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        int stranger = int.Parse(await File.ReadAllTextAsync(Path.Combine(program.Work, "stranger"), token), CultureInfo.InvariantCulture);

        try
        {
            ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

            Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
            Assert.That(refused.Errors, Does.Contain($"pid {stranger} (sleep-as-root)").And.Contain("it is setuid"), program.Transcript.ToString());
        }
        finally
        {
            ComputationProcesses.KillOne(stranger);
            Directory.Delete(directory, recursive: true);
        }

        await program.CheckpointAsync(token);
        await program.AssertContentAsync(sample, token);
    }
}
