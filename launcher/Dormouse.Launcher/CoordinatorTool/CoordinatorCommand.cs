using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Dormouse.Coordinator;
using Dormouse.Coordinator.Faults;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.Logging;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.CoordinatorTool;

/// <summary>dmcoordinator: runs the coordinator here, or sends it to the background.</summary>
internal static class CoordinatorCommand
{
    /// <summary>Members' numbers that one coordinator may use before those of its successor begin.</summary>
    private const uint MembersPerCoordinator = 100_000;

    private static readonly TimeSpan s_endOfFormer = TimeSpan.FromSeconds(5);

    public static int Run(string[] args)
    {
        if (CoordinatorSettings.Parse(args) is not { } settings) return ExitCode.Success;
        if (settings.Serve) return ServeAsDaemon(settings);
        if (settings.Directory is not null) SettingsReader.CheckDirectory(settings.Directory, ExitCode.CannotLaunch);
        if (!settings.Daemon) return Serve(settings, null);

        using CoordinatorClient client = CoordinatorFinder.Open(settings.AsRequest(), out _);
        if (!settings.Quiet) Terminal.WriteLine(Terminal.Out, $"dmcoordinator listens on {client.Address.Endpoint}.");
        return ExitCode.Success;
    }

    /// <summary>Nobody reads a daemon's standard error: whatever goes wrong goes to its starter.</summary>
    private static int ServeAsDaemon(CoordinatorSettings settings)
    {
        ReadyPipe ready = new(CoordinatorStarter.ReadyDescriptor);
        try
        {
            return Serve(settings, ready);
        }
        catch (Exception problem) when (problem is ToolException or IOException or UnauthorizedAccessException)
        {
            ready.Say(problem.Message);
            return ExitCode.CannotLaunch;
        }
    }

    private static int Serve(CoordinatorSettings settings, ReadyPipe? ready)
    {
        string runtimeDirectory = RuntimeDirectory.Make();
        CoordinatorRecord? former = settings.Port == 0 ? null : CoordinatorRecord.Read(settings.Port);
        byte[] token = ChooseToken(former);
        using LogOutput log = LogOutput.Open(settings, runtimeDirectory);
        CoordinatorOptions options = new()
        {
            Token = token,
            Address = settings.Address,
            Port = settings.Port,
            Directory = settings.Directory ?? former?.Directory ?? settings.StartDirectory,
            Interval = TimeSpan.FromSeconds(settings.IntervalSeconds),
            KeepGenerations = settings.Keep,
            Codec = settings.Codec,
            ExitOnLast = settings.ExitOnLast,
            Computation = former?.Computation ?? 0,
            Fault = FaultPoint.Parse(Environment.GetEnvironmentVariable("DORMOUSE_FAULT")),
            FirstMember = former is null ? 1 : former.FirstMember + MembersPerCoordinator,
        };

        using CoordinatorServer server = new(options, new LineLogger(log.Writer, "coordinator", settings.LogLevel));
        try
        {
            Listen(server, former);
        }
        catch (SocketException problem) when (problem.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            log.Discard();
            ready?.Say($"{CoordinatorStarter.BusyWord} port {settings.Port}");
            throw new ToolException(ExitCode.CannotLaunch, $"Port {settings.Port} is taken. Use another with --coord-port, or 0 for any.");
        }
        catch (SocketException problem)
        {
            log.Discard();
            string reason = $"A coordinator cannot listen on {settings.Address}:{settings.Port}: {problem.Message}.";
            ready?.Say(reason);
            throw new ToolException(ExitCode.CannotLaunch, reason);
        }

        IPEndPoint reached = new(ReachedBy(settings.Address), server.Endpoint.Port);
        CoordinatorRecord record = new(
            reached.Address.ToString(), reached.Port, Environment.ProcessId, Convert.ToHexStringLower(token), server.Computation, options.FirstMember, options.Directory,
            BatchJob.Own);
        record.Write(runtimeDirectory);
        server.Leaving = () => record.Remove(runtimeDirectory);
        log.NameAfter(reached.Port);
        if (settings.PortFile is { } portFile) PortFile.Write(portFile, reached.Port);
        if (ready?.Say($"{CoordinatorStarter.ReadyWord} {reached} {record.Token}") == false) server.LoseStarter();
        if (ready is null && !settings.Quiet) Terminal.WriteLine(Terminal.Out, $"dmcoordinator listens on {reached}. Start programs with dmlaunch.");

        RunUntilSignalled(server);
        record.Remove(runtimeDirectory);
        return ExitCode.Success;
    }

    /// <summary>One that was killed a moment ago may still have the port: the kernel closes its connections first.</summary>
    private static void Listen(CoordinatorServer server, CoordinatorRecord? former)
    {
        long deadline = Environment.TickCount64 + (long)s_endOfFormer.TotalMilliseconds;
        while (true)
        {
            try
            {
                server.Listen();
                return;
            }
            catch (SocketException problem) when (problem.SocketErrorCode == SocketError.AddressAlreadyInUse
                && former is { HasEnded: true } && Environment.TickCount64 < deadline)
            {
                Thread.Sleep(10);
            }
        }
    }

    private static void RunUntilSignalled(CoordinatorServer server)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        server.Run(stop.Token);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    /// <summary>The token of one that died on this port: its processes know no other. Or the user's, or a new one.</summary>
    private static byte[] ChooseToken(CoordinatorRecord? former)
    {
        if (former is not null && TokenProof.TryParseToken(former.Token, out byte[] token)) return token;
        string? given = Environment.GetEnvironmentVariable("DORMOUSE_TOKEN");
        if (string.IsNullOrEmpty(given)) return RandomBytes.Take(TokenProof.TokenBytes);
        return TokenProof.TryParseToken(given, out token) ? token : throw new ToolException(ExitCode.Usage, "DORMOUSE_TOKEN is not 64 hex digits.");
    }

    /// <summary>An address for members and commands: listening on all addresses, that of the host's name.</summary>
    private static IPAddress ReachedBy(IPAddress address)
    {
        if (!address.Equals(IPAddress.Any)) return address;
        try
        {
            foreach (IPAddress found in Dns.GetHostAddresses(OwnHost.Name))
            {
                if (found.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(found)) return found;
            }
        }
        catch (SocketException)
        {
            // A host that does not know its own name still has itself.
        }

        return IPAddress.Loopback;
    }
}
