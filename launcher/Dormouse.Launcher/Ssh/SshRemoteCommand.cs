using System.Net;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Launch;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Ssh;

/// <summary>The other end of <see cref="SshCommand"/>, started by sshd: hears what to run, connects, and becomes the relay, which runs it.</summary>
internal static class SshRemoteCommand
{
    public static int Run()
    {
        using FileStream input = new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        // "client port server port", sshd(8).
        string client = (Environment.GetEnvironmentVariable("SSH_CONNECTION") ?? "").Split(' ')[0];
        Terminal.WriteLine(Terminal.Out, $"{SshWords.Here} {client}");
        if (SshRequest.Read(input) is not { } request) return ExitCode.Failed;
        try
        {
            Become(request);
        }
        catch (ToolException problem)
        {
            Terminal.WriteLine(Terminal.Out, $"{SshWords.Problem} {problem.Message}");
        }

        return ExitCode.Failed;
    }

    private static void Become(SshRequest request)
    {
        string host = Coordinator.Host.OwnHost.Name;
        if (!TokenProof.TryParseToken(request.Token, out byte[] token)) throw new ToolException(ExitCode.Failed, $"{host} was given no token.");
        string coordinator = request.Coordinators.FirstOrDefault(Answers)
            ?? throw new ToolException(ExitCode.NoCoordinator, $"{host} cannot reach the coordinator at {string.Join(" or ", request.Coordinators)}. Open the way for TCP from there.");
        if (RelayLink.Connect(request.Relays.Select(IPEndPoint.Parse), token, Convert.FromHexString(request.Session), out string problem) is not { } socket)
            throw new ToolException(ExitCode.Failed, $"{host} cannot connect back: {problem}. Open the way for TCP from there.");

        string shell = Environment.GetEnvironmentVariable("SHELL") is { Length: > 0 } own ? own : "/bin/sh";
        string[] command = request.Command is { } text ? [Path.GetFileName(shell), "-c", text] : ["-" + Path.GetFileName(shell)];
        string[] flags = request.Terminal is null ? [] : ["terminal"];
        Errno error = Start.Become(
            SshCommand.Relay(), ["dormouse-relay", "remote", $"{socket.Descriptor}", .. flags, "--", shell, .. command], Variables(request, coordinator), socket.Descriptor);
        throw new ToolException(ExitCode.CannotExecute, $"{SshCommand.Relay()} on {host} cannot be run: {error.Say()}.");
    }

    private static bool Answers(string endpoint)
    {
        using RelaySocket? socket = IPEndPoint.TryParse(endpoint, out IPEndPoint? parsed) ? RelayLink.Reach(parsed) : null;
        return socket is not null;
    }

    private static IEnumerable<KeyValuePair<string, string?>> Variables(SshRequest request, string coordinator)
    {
        string others = MemberEnvironment.WithoutLibrary(Environment.GetEnvironmentVariable(MemberEnvironment.Preload) ?? "");
        string library = PreloadLibrary.Find();
        yield return new(MemberEnvironment.Preload, others.Length > 0 ? $"{library}:{others}" : library);
        yield return new(MemberEnvironment.Coordinator, coordinator);
        yield return new(MemberEnvironment.Token, request.Token);
        // Nobody here is at the streams of a launch.
        yield return new(MemberEnvironment.Stdio, "-,-,-");
        yield return new(MemberEnvironment.Namespaces, MemberEnvironment.OwnNamespaces);
        if (others.Length == 0) yield return new(MemberEnvironment.Even, "");
        if (request.Terminal is not null) yield return new("TERM", request.Terminal);
    }
}
