using System.Globalization;

namespace Dormouse.Launcher.Restart;

/// <summary>Whether new namespaces are made.</summary>
internal enum PodChoice
{
    /// <summary>When the host allows it.</summary>
    WhenPossible,

    /// <summary>Or fail.</summary>
    Always,

    /// <summary>Only where all process ids are free.</summary>
    Never,
}

/// <summary>How dmrestart finds its coordinator.</summary>
internal enum CoordinatorChoice
{
    /// <summary>Joins one that answers and has nothing to do, else starts one.</summary>
    Any,

    /// <summary>Joins, or fails.</summary>
    Join,

    /// <summary>Starts one.</summary>
    New,
}

/// <summary>The command line of dmrestart.</summary>
internal sealed record RestartOptions
{
    /// <summary>Images and directories, as given.</summary>
    public required IReadOnlyList<string> Images { get; init; }

    /// <summary>Only says whether the images could be woken.</summary>
    public bool CheckOnly { get; init; }

    /// <summary>Takes files as they are that cannot be rolled back.</summary>
    public bool AcceptChangedFiles { get; init; }

    /// <summary>Says nothing but errors.</summary>
    public bool Quiet { get; init; }

    /// <summary>Whether a pod is made.</summary>
    public PodChoice Pod { get; init; }

    /// <summary>Where the coordinator is, or null: this host.</summary>
    public string? CoordinatorHost { get; init; }

    /// <summary>Its port, or null: the usual one.</summary>
    public ushort? CoordinatorPort { get; init; }

    /// <summary>File to write the port to, or null.</summary>
    public string? PortFile { get; init; }

    /// <summary>How the coordinator is found.</summary>
    public CoordinatorChoice Coordinator { get; init; }

    /// <summary>Time between checkpoints from now on, or null: as the coordinator has it.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Directory of the next checkpoints, or null: that of the images.</summary>
    public string? CheckpointDirectory { get; init; }

    /// <summary>Hosts to wake on, as named; empty: this one.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Where the processes of an original host wake: original name to target.</summary>
    public IReadOnlyDictionary<string, string> HostMap { get; init; } = new Dictionary<string, string>();

    /// <summary>Only some of the images: other calls wake the others.</summary>
    public bool IsPart { get; init; }

    /// <summary>A dmrestart on another host has started this one by ssh, and its user reads what this one says.</summary>
    public bool IsCalledFromElsewhere { get; init; }

    /// <summary>Original hosts whose processes wake here; empty: all that are given.</summary>
    public IReadOnlyList<string> OnlyHosts { get; init; } = [];

    /// <summary>All hosts that are named, each once.</summary>
    public IReadOnlyList<string> Targets => [.. Hosts.Concat(HostMap.Values).Distinct()];

    /// <summary>What --help prints.</summary>
    public const string Help = """
        usage: dmrestart [options] ckpt_*.img | DIRECTORY

        Wakes the computation that the images hold: all of its processes, with the process ids, memory, files and
        connections that they had. Give the images of one checkpoint in any order, from any directory. dmrestart then
        stands for the program that dmlaunch had started: same terminal, signals and exit status.

            dmrestart ckpt_*.img           wake the newest complete generation
            dmrestart --check ckpt_*.img   only say whether this host can wake it, and what would be different
            dmrestart --hosts c,d ckpt_*.img
                                           on several hosts, by ssh; the images are in a directory that all of them see,
                                           or were copied to the same directory of each

        options:
          -h, --coord-host HOST      host of the coordinator (default: this host)
          -p, --coord-port PORT      its port (default: $DORMOUSE_COORDINATOR's, or 7779)
              --port-file FILE       write the coordinator's port to FILE
          -j, --join-coordinator     fail when no coordinator answers
              --new-coordinator      start a new coordinator
              --any-coordinator      join one that answers, else start one (default)
          -i, --interval SECONDS     checkpoint every so many seconds from now on
              --ckptdir DIR          directory for the next checkpoints (default: where the images are)
              --restartdir DIR       wake the images in DIR
              --pod                  make new namespaces for the processes, or fail
              --no-pod               make none: all process ids must be free; without root they are waited for
              --accept-changed-files take files as they are that have changed and were too large to save
              --check                look, but wake nothing
              --hosts HOST,...       wake on these hosts: as many as before, fewer or more. What ran on a host of the same
                                     name stays there; the others go where the fewest processes are
              --host-map OLD=NEW,... what ran on OLD wakes on NEW; several hosts that had become one are called as they
                                     were where they began
              --part                 wake only the images that are given; others of the same generation are woken by other
                                     calls, with the same coordinator (-h, -p, $DORMOUSE_TOKEN), as batch systems do it;
                                     it has to run already
              --only HOST,...        the same, of all that is given only what ran on these hosts
          -q, --quiet                print errors only
              --help, --version

        exit status:
          that of the program (when a signal ended it, dmrestart ends by the same signal)
          2    the command line is wrong
          125  nothing was restarted; one sentence says why. With --check: the images cannot be woken here.
        """;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="UsageException">It is wrong.</exception>
    public static RestartOptions Parse(string[] arguments)
    {
        var options = new RestartOptions { Images = [] };
        List<string> images = [];
        for (int index = 0; index < arguments.Length; index++)
        {
            string argument = arguments[index];
            if (argument == "--")
            {
                images.AddRange(arguments[(index + 1)..]);
                break;
            }

            if (argument.Length < 2 || argument[0] != '-')
            {
                images.Add(argument);
                continue;
            }

            (string name, string? value) = SplitOption(argument);
            if (TakesValue(name))
            {
                value ??= ++index < arguments.Length ? arguments[index] : throw new UsageException($"{name} needs a value.");
            }
            else if (value is not null)
            {
                throw new UsageException($"{name} takes no value.");
            }

            options = options.With(name, value ?? "", images);
        }

        if (options.IsPart && options.Targets.Count > 0)
        {
            throw new UsageException("--hosts and --part are two ways to wake on several hosts; use one.");
        }

        if (options is { IsPart: true, Coordinator: CoordinatorChoice.New })
        {
            throw new UsageException("With --part all take part in one coordinator's restart: start that first, with dmcoordinator.");
        }

        return images.Count > 0
            ? options with { Images = images }
            : throw new UsageException("Give the images to wake: dmrestart ckpt_*.img.");
    }

    private static (string Name, string? Value) SplitOption(string argument)
    {
        int equals = argument.StartsWith("--", StringComparison.Ordinal) ? argument.IndexOf('=', StringComparison.Ordinal) : -1;
        return equals < 0 ? (argument, null) : (argument[..equals], argument[(equals + 1)..]);
    }

    private static bool TakesValue(string name) => name is "-h" or "--coord-host" or "-p" or "--coord-port" or "--port-file"
        or "-i" or "--interval" or "--ckptdir" or "--restartdir" or "--hosts" or "--host-map" or "--only";

    private RestartOptions With(string name, string value, List<string> images)
    {
        switch (name)
        {
            case "-h" or "--coord-host": return this with { CoordinatorHost = value };
            case "-p" or "--coord-port": return this with { CoordinatorPort = Port(name, value) };
            case "--port-file": return this with { PortFile = value };
            case "-j" or "--join-coordinator" or "--join": return this with { Coordinator = CoordinatorChoice.Join };
            case "--new-coordinator": return this with { Coordinator = CoordinatorChoice.New };
            case "--any-coordinator": return this with { Coordinator = CoordinatorChoice.Any };
            case "-i" or "--interval": return this with { Interval = Seconds(name, value) };
            case "--ckptdir": return this with { CheckpointDirectory = value };
            case "--pod": return this with { Pod = PodChoice.Always };
            case "--no-pod": return this with { Pod = PodChoice.Never };
            case "--accept-changed-files": return this with { AcceptChangedFiles = true };
            case "--check": return this with { CheckOnly = true };
            case "-q" or "--quiet": return this with { Quiet = true };
            case "--hosts": return this with { Hosts = [.. Hosts, .. List(name, value)] };
            case "--host-map": return this with { HostMap = new Dictionary<string, string>(HostMap.Concat(Pairs(name, value))) };
            case "--part": return this with { IsPart = true };
            case "--only": return this with { IsPart = true, OnlyHosts = [.. OnlyHosts, .. List(name, value)] };
            case "--restartdir":
                images.Add(value);
                return this;
            default: throw new UsageException($"There is no option {name}.");
        }
    }

    private static string[] List(string name, string value)
    {
        string[] words = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words.Length > 0 && !Array.Exists(words, word => word.StartsWith('-')) ? words : throw new UsageException($"{name} needs names of hosts, such as a,b, not {value}.");
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string name, string value)
    {
        foreach (string pair in List(name, value))
        {
            string[] sides = pair.Split('=');
            if (sides.Length != 2 || sides[0].Length == 0 || sides[1].Length == 0)
            {
                throw new UsageException($"{name} needs pairs such as a=c,b=d, not {value}.");
            }

            yield return new(sides[0], sides[1]);
        }
    }

    private static ushort Port(string name, string value)
        => ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            ? port
            : throw new UsageException($"{name} needs a number from 0 to 65535, not {value}.");

    private static TimeSpan Seconds(string name, string value)
        => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds)
            ? TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"{name} needs a number of seconds, not {value}.");
}
