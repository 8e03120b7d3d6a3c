namespace Dormouse.Launcher.Command;

internal static class CommandHelp
{
    public const string Text = """
        usage: dmcommand [options] ACTION

        Talks to the coordinator of a running computation.

            dmcommand --checkpoint               every process writes its image; returns when all are safe on disk
            dmcommand --kcheckpoint              the same, then all processes end; wake them with dmrestart
            dmcommand --list                     who belongs to the computation

        actions:
          -c,  --checkpoint           checkpoint; prints each process (host, pid, program, size, image) and how long it
                                      stood still
          -bc, --bcheckpoint          the same: --checkpoint always waits
          -kc, --kcheckpoint          checkpoint, then end all processes
          -s,  --status               prints NUM_PEERS, RUNNING, CKPT_INTERVAL and more, one per line
          -l,  --list                 prints the processes (HOSTPID: outside of a pod)
          -i,  --interval SECONDS     checkpoint every so often from now on; 0: no more
          -k,  --kill                 end all processes
          -q,  --quit                 end all processes and the coordinator
               --inspect IMAGE        prints what an image holds; needs no coordinator

        options:
          -h, --coord-host HOST       host of the coordinator (default: $DORMOUSE_COORD_HOST or this host)
          -p, --coord-port PORT       its port (default: $DORMOUSE_COORD_PORT, or your newest coordinator's, or 7779)
              --ckptdir DIR           for this checkpoint: where images go
              --codec raw|lz4|zstd    for this checkpoint: how memory is stored (default raw)
              --keep-external-tcp     with --kcheckpoint, of programs that run as root: TCP connections to peers outside of
                                      the computation sleep, too; the peers only see a delay
              --json                  prints --checkpoint, --status, --list and --inspect as JSON
              --help, --version

        exit codes: 0 done, 1 it failed, 2 wrong command line, 3 no coordinator answers, 4 no process is attached,
        5 the coordinator has something else to do just now, 6 the coordinator refuses the token.
        """;
}
