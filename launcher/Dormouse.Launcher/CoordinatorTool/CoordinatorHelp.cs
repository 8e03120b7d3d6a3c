namespace Dormouse.Launcher.CoordinatorTool;

internal static class CoordinatorHelp
{
    public const string Text = """
        usage: dmcoordinator [options]

        Keeps one computation together: processes started with dmlaunch connect to it, and dmcommand and dmrestart
        talk to it. dmlaunch starts one by itself when none answers, so it is needed by hand only to choose its
        address, its port or how many checkpoints are kept.

            dmcoordinator --daemon -i 3600 --ckptdir /scratch/ckpt
            dmlaunch ./app

        When a coordinator dies its processes go on. Start another on the same port, and they come back to it.

        options:
          -p, --coord-port, --port PORT   port to listen on (default: $DORMOUSE_COORD_PORT or 7779; 0: any free one)
          -h, --coord-host, --bind ADDR   address to listen on (default 127.0.0.1; 0.0.0.0: all, for several hosts)
              --port-file FILE            write the port to FILE
              --daemon                    go to the background once it listens
              --exit-on-last              end when the last process has left
          -i, --interval SECONDS          checkpoint every so often (default: $DORMOUSE_CHECKPOINT_INTERVAL or never)
              --ckptdir DIR               where images go (default: $DORMOUSE_CHECKPOINT_DIR or here)
              --keep K                    generations to keep, the newest included (default 2)
              --codec raw|lz4|zstd        how memory is stored in periodic images (default raw)
              --log FILE                  where to log (default: standard error; a daemon: the runtime directory)
              --log-level LEVEL           debug, information, warning or error (default information)
          -q, --quiet                     say nothing on standard output
              --help, --version

        Its token is in coordinator-PORT.json in $XDG_RUNTIME_DIR/dormouse (or /tmp/dormouse-UID), readable by you
        alone. DORMOUSE_TOKEN sets another: 64 hex digits.

        exit codes: 0 ended as asked, 2 wrong command line, 125 could not start.
        """;
}
