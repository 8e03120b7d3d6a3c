namespace Dormouse.EndToEnd.Samples;

/// <summary>The one list of samples. Whatever is in it goes through the whole matrix.</summary>
internal static class AllSamples
{
    private const string Python = "/usr/bin/python3";

    public static readonly IReadOnlyList<Sample> OfOneProcessTree =
    [
        new("hello", "hello") { HasChecksum = true },
        new("threads", "threads") { HasChecksum = true },
        new("threads-200", "threads-200") { HasChecksum = true },
        new("churn", "churn"),
        new("registers", "registers"),
        new("process-tree", "process-tree"),
        new("spawn-loop", "spawn-loop"),
        new("exec-family", "exec-family"),
        new("exec-children", "exec-children"),
        new("storm", "storm"),
        new("waits", "waits"),
        new("signals", "signals"),
        new("attributes", "attributes"),
        new("open-file-limit", "open-file-limit"),
        new("timers", "timers"),
        new("pipes-unread", "pipes-unread"),
        new("chain", "chain"),
        new("big-writes", "big-writes"),
        new("event-fds", "event-fds"),
        new("unix-sockets", "unix-sockets"),
        new("socket-files", "socket-files"),
        new("fd-passing", "fd-passing"),
        new("files", "files"),
        new("roll-back", "roll-back"),
        new("roll-back-large", "roll-back", "80"),
        new("system-v", "system-v"),
        new("sem-undo", "sem-undo"),
        new("pty", "pty") { Exclusive = Turn.PseudoTerminals },
        new("shared-memory", "shared-memory"),
        new("named-semaphores", "named-semaphores"),
        new("memory-kinds", "kinds"),
        new("large-256", "large", "256"),
        new("zeros", "zeros"),
        new("tcp", "tcp"),
        new("tcp-states", "tcp-states"),
        new("accept-queue", "accept-queue"),
        new("udp", "udp"),
        new("socket-groups", "groups"),
        new("socket-options", "socket-options"),
        new("reuse-address", "reuse-address"),
        new("backlog", "backlog"),
        new("exceptions", "exceptions"),
        new("python-loop", Python, "@python-loop.py") { HasChecksum = true },
        new("python-threads", Python, "@python-threads.py"),
        new("python-asyncio", Python, "@python-asyncio.py"),
        new("python-multiprocessing", Python, "@python-multiprocessing.py"),
        new("python-sqlite", Python, "@python-sqlite.py") { HasChecksum = true },
        new("python-sqlite-wal", Python, "@python-sqlite.py", "wal") { HasChecksum = true },
        new("bash-pipeline", "/bin/bash", "@pipeline.sh") { HasChecksum = true },
        new("perl", "/usr/bin/perl", "@pipeline.pl") { HasChecksum = true },
    ];

    /// <summary>An MPI program under its mpirun, all ranks on this host, default transports.</summary>
    /// <param name="mpi">openmpi or mpich.</param>
    public static Sample Mpi(string mpi, int ranks, string program, params string[] arguments)
    {
        string[] options = mpi == "openmpi" ? ["--allow-run-as-root", "--oversubscribe"] : [];
        return new Sample(
            $"{program}-{mpi}-{ranks}",
            [$"/usr/bin/mpirun.{mpi}", .. options, "-np", $"{ranks}", $"@{program}.{mpi}", .. arguments])
        {
            HasChecksum = true,
            Variables = new Dictionary<string, string> { ["OMP_NUM_THREADS"] = "2" },
        };
    }
}
