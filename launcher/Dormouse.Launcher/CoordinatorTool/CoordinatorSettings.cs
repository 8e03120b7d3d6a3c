using System.CommandLine;
using System.Net;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Launcher.CoordinatorTool;

/// <summary>The command line of dmcoordinator.</summary>
internal sealed record CoordinatorSettings
{
    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    /// <summary>Null: not said.</summary>
    public required string? Directory { get; init; }

    /// <summary>The directory when neither the user nor a former coordinator of this port said one: that of whoever starts it.</summary>
    public required string StartDirectory { get; init; }

    public required uint IntervalSeconds { get; init; }

    public required int Keep { get; init; }

    public required ImageCodec Codec { get; init; }

    public required bool ExitOnLast { get; init; }

    public string? PortFile { get; init; }

    public bool Daemon { get; init; }

    /// <summary>It is the daemon: descriptor 3 wants to know how it went.</summary>
    public bool Serve { get; init; }

    public bool Quiet { get; init; }

    public string? LogFile { get; init; }

    public LogLevel LogLevel { get; init; }

    /// <returns>Null: help or version was asked for.</returns>
    public static CoordinatorSettings? Parse(string[] args)
    {
        ToolCommand command = new("dmcoordinator", CoordinatorHelp.Text);
        Option<string?> port = command.Add<string?>("--coord-port", "-p", "--port");
        Option<string?> bind = command.Add<string?>("--bind", "-h", "--coord-host");
        Option<string?> portFile = command.Add<string?>("--port-file");
        Option<bool> daemon = command.Add<bool>("--daemon");
        Option<bool> serve = command.Add<bool>("--serve");
        Option<bool> exitOnLast = command.Add<bool>("--exit-on-last");
        Option<string?> interval = command.Add<string?>("--interval", "-i");
        Option<string?> directory = command.Add<string?>("--ckptdir", "--ckpt-dir");
        Option<string?> startDirectory = command.Add<string?>("--start-directory");
        Option<string?> keep = command.Add<string?>("--keep");
        Option<string?> codec = command.Add<string?>("--codec");
        Option<string?> log = command.Add<string?>("--log", "--coord-logfile");
        Option<string?> level = command.Add<string?>("--log-level");
        Option<bool> quiet = command.Add<bool>("--quiet", "-q");
        if (command.Parse(args) is not { } result) return null;

        return new CoordinatorSettings
        {
            Address = ParseAddress(result.GetValue(bind)),
            Port = Number.ParsePort(result.GetValue(port), "--coord-port") ?? EnvironmentPort() ?? ProtocolVersion.DefaultPort,
            PortFile = result.GetValue(portFile) is { } file ? Path.GetFullPath(file) : null,
            Daemon = result.GetValue(daemon),
            Serve = result.GetValue(serve),
            ExitOnLast = result.GetValue(exitOnLast),
            IntervalSeconds = SettingsReader.Interval(result.GetValue(interval)) ?? 0,
            Directory = SettingsReader.Directory(result.GetValue(directory)),
            StartDirectory = result.GetValue(startDirectory) ?? Environment.CurrentDirectory,
            Keep = Number.Parse(result.GetValue(keep), "--keep", 1) ?? 2,
            Codec = Codecs.Parse(result.GetValue(codec)),
            LogFile = result.GetValue(log) is { } path ? Path.GetFullPath(path) : null,
            LogLevel = ParseLevel(result.GetValue(level)),
            Quiet = result.GetValue(quiet),
        };
    }

    /// <summary>The same once more, for the daemon: nothing in it depends on the working directory.</summary>
    public CoordinatorRequest AsRequest() => new()
    {
        Mode = CoordinatorMode.New,
        Port = Port,
        PortFile = PortFile,
        ExitOnLast = ExitOnLast,
        StartOptions =
        [
            "--bind", Address.ToString(), "--start-directory", StartDirectory, "--interval", IntervalSeconds.ToString(), "--keep", Keep.ToString(),
            "--codec", Codec.ToString().ToLowerInvariant(), "--log-level", LogLevel.ToString(),
            .. Directory is null ? [] : new[] { "--ckptdir", Directory },
            .. LogFile is null ? [] : new[] { "--log", LogFile },
        ],
    };

    private static int? EnvironmentPort()
    {
        string? text = Environment.GetEnvironmentVariable("DORMOUSE_COORD_PORT");
        return string.IsNullOrEmpty(text) ? null : Number.ParsePort(text, "DORMOUSE_COORD_PORT");
    }

    private static IPAddress ParseAddress(string? text)
    {
        if (text is null or "localhost") return IPAddress.Loopback;
        return IPAddress.TryParse(text, out IPAddress? address) ? address
            : throw new ToolException(ExitCode.Usage, $"{text} is no address of this host. Give a number, such as 0.0.0.0 for all.");
    }

    private static LogLevel ParseLevel(string? text)
        => text is null ? LogLevel.Information
            : Enum.TryParse(text, ignoreCase: true, out LogLevel level) ? level
            : throw new ToolException(ExitCode.Usage, $"{text} is no log level; use debug, information, warning or error.");
}
