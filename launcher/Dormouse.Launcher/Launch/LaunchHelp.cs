namespace Dormouse.Launcher.Launch;

internal static class LaunchHelp
{
    public const string Text = """
        usage: dmlaunch [options] PROGRAM [arguments]

        Starts PROGRAM so that it, and every process it starts, can be put to sleep and woken later. The program is not
        changed, and sees no difference: same terminal, signals and exit status. Everything from PROGRAM on is its own.

            dmlaunch mpirun -np 4 ./app          start; a coordinator starts by itself when none answers
            dmcommand --checkpoint               every process writes its image; returns when all are safe on disk
            dmcommand --kill                     end it (or lose the machine)
            dmrestart ckpt_*.img                 wake it, here or elsewhere

            dmlaunch -i 3600 --ckptdir /scratch/me ./app      a checkpoint every hour

        options:
          -h, --coord-host HOST      host of the coordinator (default: $DORMOUSE_COORD_HOST or this host)
          -p, --coord-port PORT      its port (default: $DORMOUSE_COORD_PORT, or your newest coordinator's, or 7779)
              --port-file FILE       write the coordinator's port to FILE
              --any-coordinator      join a coordinator that answers, else start one (this is the default)
          -j, --join-coordinator     join a coordinator that answers, else fail
              --new-coordinator      start a new coordinator, on any free port unless -p says which
          -i, --interval SECONDS     checkpoint every so often (default: $DORMOUSE_CHECKPOINT_INTERVAL or never)
              --ckptdir DIR          where images go (default: $DORMOUSE_CHECKPOINT_DIR or the coordinator's, which for a
                                     coordinator started now is the current directory)
              --keep K               for a coordinator started now: generations to keep (default 2)
              --exit-on-last         for a coordinator started now: end with the last process (it does anyway)
          -q, --quiet                accepted; nothing is ever printed unless something is wrong
              --gzip, --no-gzip      accepted; images are never compressed with gzip
              --help, --version

        What cannot be checkpointed is refused before it starts: static, setuid, 32-bit and musl programs.

        exit codes: those of PROGRAM; 2 wrong command line, 3 no coordinator, 125 dmlaunch cannot do it,
        126 PROGRAM cannot be run, 127 PROGRAM is not found.
        """;
}
