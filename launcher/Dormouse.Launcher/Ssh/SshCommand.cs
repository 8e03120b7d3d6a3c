using System.Net;
using Dormouse.Coordinator.Host;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Launch;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Ssh;

/// <summary>
/// dmssh: what libdormouse starts in place of ssh. Logs in with the real ssh, starts the remote side there, waits until that has
/// connected to us, and becomes the relay. ssh goes on beside, as nobody's child, until the remote side ends. docs/decisions/0005.
/// </summary>
internal static class SshCommand
{
    /// <summary>The program that was to be started, set by native-shim/src/remote_shell.c.</summary>
    public const string ProgramVariable = "DORMOUSE_SSH_PROGRAM";

    /// <summary>"plain" leaves ssh alone: the remote command is no part of the computation.</summary>
    public const string ModeVariable = "DORMOUSE_SSH";

    /// <summary>Marks the real ssh: should it become the child of a member that collects orphans, it is none of its own.</summary>
    private const string CarrierVariable = Dormouse.Protocol.Programs.Stranger.CarrierVariable;

    /// <summary>As ssh(1) ends when it has failed itself.</summary>
    private const int SshFailed = 255;

    /// <summary>Whether this is a program for which dmssh stands; native-shim/src/remote.c knows the same names.</summary>
    public static bool Replaces(string program) => Path.GetFileName(program) is "ssh" or "rsh";

    /// <summary>Started by libdormouse; argv[0] is then whatever the program had for ssh.</summary>
    public static bool IsMeant => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(ProgramVariable));

    public static int Run(string[] args)
    {
        string program = Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } named ? named : "ssh";
        SshArguments arguments = SshArguments.Parse(args);
        if (arguments.IsPlain || Environment.GetEnvironmentVariable(ModeVariable) == "plain" || Coordinator() is not { } coordinator)
            throw Unusable(program, Start.Become(ProgramCheck.Find(program), [program, .. args], Outside));

        string host = arguments.Host!;
        byte[] token = Convert.FromHexString(coordinator.Token);
        bool terminal = arguments.WantsTerminal(Start.IsTerminal(0));
        IReadOnlyList<(RelaySocket Socket, IPAddress Any)> listeners = RelayLink.Listen();
        byte[] session = RandomBytes.Take(TokenProof.NonceBytes);

        Errno error = Start.Orphan(ProgramCheck.Find(program), [program, .. arguments.Options, "-T", "--", host, RemoteScript()], Outside.Append(new(CarrierVariable, "1")), out int to, out int from);
        if (error != Errno.None) throw Unusable(program, error);
        using FileStream input = new(new SafeFileHandle(to, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        using FileStream output = new(new SafeFileHandle(from, ownsHandle: true), FileAccess.Read, bufferSize: 0);

        if (Answer(output, host) is not { } client) return SshFailed;
        IReadOnlyList<IPAddress> own = HostAddresses.All(client);
        new SshRequest(
            coordinator.Token, Reachable(coordinator, own), [.. Endpoints(own, listeners)],
            Convert.ToHexStringLower(session), terminal ? Environment.GetEnvironmentVariable("TERM") ?? "dumb" : null, arguments.Command).Write(input);

        if (RelayLink.Accept([.. listeners.Select(listener => listener.Socket)], token, session, () => RelaySocket.IsReadable(output.SafeFileHandle)) is not { } socket)
            throw new ToolException(SshFailed, Complaint(output) ?? $"{host} cannot connect to this host; the two ends of a remote command need a connection of their own. Open the way for TCP from there, or set {ModeVariable}=plain.");
        string[] flags = [.. terminal ? ["terminal"] : Array.Empty<string>(), .. arguments.NoInput ? ["no-input"] : Array.Empty<string>(), .. arguments.IsQuiet ? ["quiet"] : Array.Empty<string>()];
        throw Unusable(Relay(), Start.Become(Relay(), ["dormouse-relay", "local", $"{socket.Descriptor}", host, .. flags], WithoutOwn, socket.Descriptor));
    }

    /// <summary>The relay belongs to this installation.</summary>
    public static string Relay() => Path.Combine(Path.GetDirectoryName(PreloadLibrary.Find())!, "dormouse-relay");

    /// <summary>For programs that are no members.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Outside
    {
        get
        {
            string others = MemberEnvironment.WithoutLibrary(Environment.GetEnvironmentVariable(MemberEnvironment.Preload) ?? "");
            yield return new(MemberEnvironment.Preload, others.Length > 0 ? others : null);
            yield return new(MemberEnvironment.Token, null);
            yield return new(MemberEnvironment.Coordinator, null);
            yield return new(MemberEnvironment.Stdio, null);
            yield return new(MemberEnvironment.Namespaces, null);
            yield return new(MemberEnvironment.Even, null);
            yield return new(ProgramVariable, null);
        }
    }

    private static IEnumerable<KeyValuePair<string, string?>> WithoutOwn => [new(ProgramVariable, null)];

    /// <summary>Of the computation that we are in; null: of none.</summary>
    private static CoordinatorAddress? Coordinator()
        => Environment.GetEnvironmentVariable(MemberEnvironment.Token) is { Length: 2 * TokenProof.TokenBytes } token
            && IPEndPoint.TryParse(Environment.GetEnvironmentVariable(MemberEnvironment.Coordinator) ?? "", out IPEndPoint? endpoint)
            ? new CoordinatorAddress(endpoint, token) : null;

    private static IEnumerable<string> Endpoints(IEnumerable<IPAddress> addresses, IReadOnlyList<(RelaySocket Socket, IPAddress Any)> listeners)
        => from address in addresses
           from listener in listeners
           where listener.Any.AddressFamily == address.AddressFamily
           select new IPEndPoint(address, listener.Socket.Port).ToString();

    /// <summary>Any login shell understands it; the same path as here first, then whatever is installed.</summary>
    private static string RemoteScript()
    {
        string own = Environment.ProcessPath ?? "dormouse";
        return $"exec sh -c 'test -x {own} && exec {own} {SshWords.RemoteName}; command -v dormouse >/dev/null && exec dormouse {SshWords.RemoteName}; echo {SshWords.Missing}'";
    }

    /// <summary>Waits for the remote side.</summary>
    /// <returns>Our own address as it is seen there; null: ssh has failed, and said why.</returns>
    private static IPAddress? Answer(Stream output, string host)
    {
        while (LineReader.Read(output) is { } line)
        {
            if (line == SshWords.Missing)
            {
                throw new ToolException(SshFailed,
                    $"{host} has no Dormouse at {Environment.ProcessPath} nor in PATH, so a command there cannot belong to this computation. Install it there, or set {ModeVariable}=plain to run commands there without it.");
            }

            if (line.StartsWith(SshWords.Here, StringComparison.Ordinal))
                return IPAddress.TryParse(line[SshWords.Here.Length..].Trim(), out IPAddress? address) ? address : IPAddress.None;
        }

        return null;
    }

    private static string? Complaint(Stream output)
        => LineReader.Read(output) is { } line && line.StartsWith(SshWords.Problem, StringComparison.Ordinal) ? line[(SshWords.Problem.Length + 1)..] : null;

    /// <summary>A coordinator on this host is asked to listen where others can reach it; one elsewhere is reached already.</summary>
    private static string[] Reachable(CoordinatorAddress coordinator, IReadOnlyList<IPAddress> own)
    {
        if (!HostAddresses.IsOurs(coordinator.Endpoint.Address)) return [coordinator.Endpoint.ToString()];
        List<string> endpoints = [];
        using CoordinatorClient client = CoordinatorClient.Connect(coordinator);
        foreach (IPAddress address in own)
        {
            client.Send(new ReachCommand(address.ToString()));
            if (client.Receive(out ReadOnlySpan<byte> payload) == FrameKind.Reached) endpoints.Add(Frame.Read<Reached>(payload).Endpoint);
        }

        return [.. endpoints];
    }

    private static ToolException Unusable(string program, Errno error) => new(SshFailed, $"{program} cannot be run: {error.Say()}.");
}
