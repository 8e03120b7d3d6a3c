using System.CommandLine;
using Dormouse.Launcher.Coordinators;

namespace Dormouse.Launcher.Tools;

/// <summary>The options with which several tools say which coordinator they mean.</summary>
internal sealed class CoordinatorOptionsSet(ToolCommand command)
{
    private readonly Option<string?> _host = command.Add<string?>("--coord-host", "-h");
    private readonly Option<string?> _port = command.Add<string?>("--coord-port", "-p", "--port");

    public string? Host(ParseResult result) => result.GetValue(_host);

    public int? Port(ParseResult result) => Number.ParsePort(result.GetValue(_port), "--coord-port");

    public CoordinatorRequest Request(ParseResult result) => new() { Host = Host(result), Port = Port(result) };
}
