using System.Globalization;
using System.Net;
using System.Text;
using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Coordinators;

/// <summary>
/// Starts a coordinator as a daemon: this same executable again, called dmcoordinator. It says on a pipe how it went, in one line:
/// "ready ADDRESS:PORT TOKEN", or "busy …" when the port is taken, or any other sentence.
/// </summary>
internal static class CoordinatorStarter
{
    /// <summary>Number of the pipe's end in the daemon; READY_FD of launcher-start.c.</summary>
    public const int ReadyDescriptor = 3;

    public const string ReadyWord = "ready";
    public const string BusyWord = "busy";

    /// <param name="port">Null: the usual one, or any when that is taken.</param>
    /// <exception cref="ToolException">It does not start.</exception>
    public static CoordinatorClient Start(CoordinatorRequest request, int? port)
    {
        string answer = StartOn(request, port ?? ProtocolVersion.DefaultPort);
        bool mayMove = request.Port is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DORMOUSE_COORD_PORT"));
        if (answer.StartsWith(BusyWord, StringComparison.Ordinal) && mayMove) answer = StartOn(request, 0);

        string[] words = answer.Split(' ');
        if (words[0] == ReadyWord && words.Length == 3) return CoordinatorClient.Connect(new CoordinatorAddress(IPEndPoint.Parse(words[1]), words[2]), isNew: true);
        throw new ToolException(ExitCode.CannotLaunch, answer.StartsWith(BusyWord, StringComparison.Ordinal)
            ? $"Port {port} is taken by something that is not your coordinator. Use another port with --coord-port, or 0 for any."
            : answer.Length > 0 ? answer : "A coordinator was started and ended without a word. Run dmcoordinator to see why.");
    }

    private static string StartOn(CoordinatorRequest request, int port)
    {
        string[] arguments =
        [
            "dmcoordinator", "--serve", "--coord-port", port.ToString(CultureInfo.InvariantCulture),
            .. request.ExitOnLast ? ["--exit-on-last"] : Array.Empty<string>(), .. request.StartOptions,
        ];
        Errno error = Interop.Start.Daemon(Environment.ProcessPath ?? "/proc/self/exe", arguments, MemberEnvironment.ForTools, out int ready);
        if (error != Errno.None) throw new ToolException(ExitCode.CannotLaunch, $"A coordinator cannot be started: {error.Say()}.");
        using FileStream pipe = new(new SafeFileHandle(ready, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        using StreamReader reader = new(pipe, Encoding.UTF8);
        return reader.ReadLine() ?? "";
    }
}
