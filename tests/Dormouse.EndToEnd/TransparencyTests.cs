using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>A program under dmlaunch sees and does what it would without.</summary>
internal sealed class TransparencyTests
{
    // getauxval(3): where the kernel has put it. Type 1 is AT_IGNORE.
    private const string VectorBehindEnvironment = """
        python3 -c '
        from ctypes import *
        at = POINTER(c_ulong).in_dll(CDLL(None), "environ")
        i = next(i for i in range(9999) if at[i] == 0) + 1
        pairs = {}
        while at[i]: pairs[at[i]] = at[i + 1]; i += 2
        pairs.pop(1, 0)
        print(sorted(pairs), pairs.get(6), pairs.get(11))'
        """;

    // At once, and when the child's checkpoint thread has begun.
    private const string ProcessorsOfChild = """
        python3 -c '
        import glob, os, re, time
        time.sleep(0.05)
        if os.fork() == 0:
            at_once = sorted(os.sched_getaffinity(0))
            time.sleep(0.1)
            print(at_once, {re.search("Cpus_allowed_list.*", open(name).read()).group() for name in glob.glob("/proc/self/task/*/status")}, flush=True)
            os._exit(0)
        os.wait()'
        """;

    [Test, CancelAfter(60_000)]
    [TestCase("exit 0", 0), TestCase("exit 42", 42), TestCase("kill -TERM $$", 143), TestCase("kill -KILL $$", 137), TestCase("/bin/false", 1)]
    public async Task ExitStatus_IsTheProgramsOwn(string script, int expected, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);

        int exitCode = await program.LaunchAnother("sh", "/bin/sh", "-c", script).ExitCodeAsync(token);

        Assert.That(exitCode, Is.EqualTo(expected), program.Transcript.ToString());
        program.Passed();
    }

    /// <summary>What a program can ask about itself is compared with the same program outside.</summary>
    [Test, CancelAfter(60_000)]
    [TestCase("descriptors", "ls -l /proc/self/fd | awk 'NR > 1 && $9 < 100 { print $9 }'")]
    [TestCase("signals", "grep -E '^Sig(Blk|Ign|Cgt|Pnd)' /proc/self/status")]
    [TestCase("limits", "ulimit -a")]
    [TestCase("name", "cat /proc/self/comm; tr '\\0' ' ' < /proc/self/cmdline")]
    [TestCase("umask and directory", "umask; pwd -P")]
    [TestCase("environment", "unset OLDPWD; env | sort; env -i /usr/bin/printenv; LD_PRELOAD=libm.so.6 env | grep PRELOAD")]
    [TestCase("threads", "python3 -c 'import threading; print(threading.active_count())'")]
    [TestCase("little address space", "ulimit -v 2000000; /bin/ls / | wc -l")]
    [TestCase("closed descriptors", "exec 3>&-; /bin/sh -c 'exec 0<&- 1>&1 2>&-; echo still here'")]
    [TestCase("broken pipe", "python3 -c 'import signal; print(signal.getsignal(signal.SIGPIPE))'; yes | head -1")]
    [TestCase("environment of a shell that libc starts", "python3 -c 'import os; os.environ.clear(); os.system(\"env\"); print(os.popen(\"env\").read())' | sort")]
    [TestCase("status of system()", "trap 'echo trapped' INT; python3 -c 'import os; print(os.system(\"exit 3\"), os.system(\"kill -INT $$\"), os.system(\"kill -KILL $$\"))'")]
    [TestCase("auxiliary vector behind the environment", VectorBehindEnvironment + "; LD_PRELOAD=libm.so.6 " + VectorBehindEnvironment + "; env -i " + VectorBehindEnvironment)]
    [TestCase("processors of a child", ProcessorsOfChild + "; taskset -c 1 " + ProcessorsOfChild)]
    public async Task Program_SeesNoDifference(string what, string script, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);

        ToolResult outside = await program.RunAsync("outside", [.. RunMode.User.Prefix, "/bin/bash", "-c", $"cd {program.Work}; {script}"], token);
        RunningProcess inside = program.LaunchAnother("inside", "/bin/bash", "-c", $"cd {program.Work}; {script}");
        int exitCode = await inside.ExitCodeAsync(token);

        Assert.That(inside.Output, Is.EqualTo(outside.Output), $"{what}: {program.Transcript}");
        Assert.That(inside.Errors, Is.EqualTo(outside.Errors), $"{what}: {program.Transcript}");
        Assert.That(exitCode, Is.EqualTo(outside.ExitCode), $"{what}: {program.Transcript}");
        program.Passed();
    }

    /// <summary>A call restarted from the beginning would end 4 s late or more; one that is cut short would be early.</summary>
    [Test, CancelAfter(120_000)]
    public async Task TimedWaits_KeepTheRemainingTime_OverManyCheckpoints(CancellationToken token)
    {
        Sample sample = new("waits", "waits")
        {
            Variables = new Dictionary<string, string> { ["SAMPLE_WAIT_MS"] = "4000", ["SAMPLE_LATE_MS"] = "1500" },
        };
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int checkpoint = 0; checkpoint < 15; checkpoint++)
        {
            await CheckpointedProgram.RunForAsync(TimeSpan.FromMilliseconds(400), token);
            await program.CheckpointAsync(token);
        }

        await program.AssertContentAsync(sample, token);
    }

    /// <summary>Many waits end, and the next begin, between the moment when a checkpoint looks at a thread and the one when it stops it:
    /// the time of the one must not be taken off the next, and none may end with EINTR.</summary>
    [Test, CancelAfter(120_000)]
    public async Task ShortWaits_ThatEndWhileTheyAreStopped_StayWhole(CancellationToken token)
    {
        Sample sample = new("waits", "waits")
        {
            Variables = new Dictionary<string, string> { ["SAMPLE_WAIT_MS"] = "7" },
        };
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int checkpoint = 0; checkpoint < 150; checkpoint++) await program.CheckpointAsync(token);

        await program.AssertContentAsync(sample, token);
    }
}
