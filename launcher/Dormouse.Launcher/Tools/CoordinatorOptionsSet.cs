using System.CommandLine;
using Dormouse.Launcher.Coordinators;

namespace Dormouse.Launcher.Tools;

/// <summary>The options with which several tools say which coordinator they mean.</summary>
internal sealed class CoordinatorOptionsSet(ToolCommand command)
{
    private readonly Option<string?> _host = command.Add<string?>("--coord-host", "-h");
    private readonly Option<int?> _port = command.Add<int?>("--coord-port", "-p", "--port");

    public string? Host(ParseResult result) => result.GetValue(_host);

    public int? Port(ParseResult result) => CheckPort(result.GetValue(_port));

    public CoordinatorRequest Request(ParseResult result) => new() { Host = Host(result), Port = Port(result) };

    public static int? CheckPort(int? port)
        => port is null or (>= 0 and <= ushort.MaxValue) ? port : throw new ToolException(ExitCode.Usage, $"{port} is no port; ports go from 0 to 65535.");
}
