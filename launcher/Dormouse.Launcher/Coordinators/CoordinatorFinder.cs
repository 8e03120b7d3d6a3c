using System.Net;
using System.Net.Sockets;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Coordinators;

/// <summary>
/// Finds the coordinator that is meant: as the options say, or the environment (DORMOUSE_COORD_HOST, DORMOUSE_COORD_PORT; inside a
/// computation DORMOUSE_COORDINATOR), or the newest of this user in this batch job, or outside of any; from there commands
/// also find the newest of a job.
/// </summary>
internal static class CoordinatorFinder
{
    /// <summary>Connects to a running one, or starts one where the request allows.</summary>
    /// <param name="isNew">It was started just now, with the options of the request.</param>
    /// <exception cref="ToolException">There is none, or it is not this user's.</exception>
    public static CoordinatorClient Open(CoordinatorRequest request, out bool isNew)
    {
        CoordinatorClient? client = request.Mode == CoordinatorMode.New ? null : TryConnect(request);
        isNew = client is null;
        client ??= CoordinatorStarter.Start(request, PortToStartOn(request));
        if (request.PortFile is { } file) PortFile.Write(file, client.Address.Endpoint.Port);
        return client;
    }

    /// <summary>Connects to a running one.</summary>
    /// <exception cref="ToolException">There is none, or it is not this user's.</exception>
    public static CoordinatorClient Connect(CoordinatorRequest request)
        => CoordinatorClient.Connect(Locate(request, joins: false) ?? throw NotFound(request));

    /// <summary>A sentence when nobody has said which coordinator is meant and several could be; null: all is clear.</summary>
    /// <param name="request">What the user has said.</param>
    /// <param name="chosen">The one that it came to.</param>
    public static string? Doubt(CoordinatorRequest request, CoordinatorAddress chosen)
    {
        if (Host(request) is not null || Port(request) is not null || Inherited(Environment.GetEnvironmentVariable("DORMOUSE_TOKEN")) is not null) return null;
        List<CoordinatorRecord> running = CoordinatorRecord.Running();
        CoordinatorRecord? own = running.Find(record => record.Port == chosen.Endpoint.Port);
        int count = running.Count(record => own?.Job != BatchJob.Own || record.Job == own.Job);
        return own is null || count < 2 ? null
            : $"{count} coordinators of yours are running; this is about the one on port {own.Port}{(own.Job.Length > 0 ? $" of {own.Job}" : "")}. --coord-port chooses.";
    }

    private static CoordinatorClient? TryConnect(CoordinatorRequest request)
    {
        bool mayStart = request.Mode == CoordinatorMode.Any && IsThisHost(Host(request));
        try
        {
            CoordinatorAddress? address = Locate(request, joins: true);
            if (address is null && !mayStart) throw NotFound(request);
            return address is null ? null : CoordinatorClient.Connect(address);
        }
        catch (ToolException problem) when (mayStart && problem.ExitCode is ExitCode.NoCoordinator or ExitCode.Refused)
        {
            return null;
        }
    }

    /// <summary>The address and token of the one that is meant, whether it answers or not; null when no token for it is known.</summary>
    /// <param name="joins">Programs will belong to it: what runs in a batch job and what does not are never one computation by chance.</param>
    private static CoordinatorAddress? Locate(CoordinatorRequest request, bool joins)
    {
        string? host = Host(request);
        int? port = Port(request);
        string? token = Environment.GetEnvironmentVariable("DORMOUSE_TOKEN");
        if (host is null && port is null && Inherited(token) is { } inherited) return inherited;

        if (!IsThisHost(host))
        {
            if (string.IsNullOrEmpty(token))
                throw new ToolException(ExitCode.Refused, $"The coordinator on {host} asks for its token. Give the command on {host} itself (ssh; in a batch job: srun --overlap --jobid), or set DORMOUSE_TOKEN to the \"token\" of its coordinator-PORT.json there.");
            return new CoordinatorAddress(new IPEndPoint(Resolve(host!), port ?? ProtocolVersion.DefaultPort), token);
        }

        CoordinatorRecord? record = port is null ? Newest(joins) : CoordinatorRecord.Read(port);
        if (record is not null) return new CoordinatorAddress(new IPEndPoint(Resolve(record.Host), record.Port), record.Token);
        return string.IsNullOrEmpty(token) || port is null ? null : new CoordinatorAddress(new IPEndPoint(IPAddress.Loopback, port.Value), token);
    }

    /// <summary>That of this batch job, or of none. Commands outside of any job may also mean that of a job.</summary>
    private static CoordinatorRecord? Newest(bool joins)
    {
        CoordinatorRecord? own = CoordinatorRecord.ReadNewestOf(BatchJob.Own);
        if (joins || BatchJob.Own.Length > 0 || own is { HasEnded: false }) return own;
        return CoordinatorRecord.Read(null) ?? CoordinatorRecord.Read(ProtocolVersion.DefaultPort);
    }

    private static CoordinatorAddress? Inherited(string? token)
    {
        string? coordinator = Environment.GetEnvironmentVariable("DORMOUSE_COORDINATOR");
        return !string.IsNullOrEmpty(token) && IPEndPoint.TryParse(coordinator ?? "", out IPEndPoint? endpoint) ? new CoordinatorAddress(endpoint, token) : null;
    }

    private static string? Host(CoordinatorRequest request) => request.Host ?? NullWhenEmpty(Environment.GetEnvironmentVariable("DORMOUSE_COORD_HOST"));

    private static int? Port(CoordinatorRequest request)
    {
        if (request.Port is not null) return request.Port;
        string? text = NullWhenEmpty(Environment.GetEnvironmentVariable("DORMOUSE_COORD_PORT"));
        return Number.ParsePort(text, "DORMOUSE_COORD_PORT");
    }

    /// <summary>The port of one that died is taken again: its processes look for a coordinator there. The usual one, unless another job's
    /// was there: its processes must not come to this one.</summary>
    private static int? PortToStartOn(CoordinatorRequest request)
    {
        if (Port(request) is { } port) return port;
        if (request.Mode == CoordinatorMode.New) return 0;
        if (CoordinatorRecord.ReadNewestOf(BatchJob.Own) is { } former) return former.Port;
        return CoordinatorRecord.Read(ProtocolVersion.DefaultPort) is null ? null : 0;
    }

    private static bool IsThisHost(string? host)
        => host is null || host == "localhost" || host == Coordinator.Host.OwnHost.Name
            || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static IPAddress Resolve(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address)) return address;
        if (host == "localhost") return IPAddress.Loopback;
        try
        {
            foreach (IPAddress found in Dns.GetHostAddresses(host))
            {
                if (found.AddressFamily == AddressFamily.InterNetwork) return found;
            }
        }
        catch (SocketException)
        {
            // Said below.
        }

        throw new ToolException(ExitCode.NoCoordinator, $"The host {host} has no IPv4 address. Give its address with --coord-host.");
    }

    private static ToolException NotFound(CoordinatorRequest request)
        => new(ExitCode.NoCoordinator, Port(request) is { } port
            ? $"No coordinator of yours is known on port {port}. Start one with dmlaunch or dmcoordinator, or set DORMOUSE_TOKEN."
            : BatchJob.Own.Length > 0
            ? $"No coordinator of yours is running in {BatchJob.Own}. Start a program with dmlaunch, or say by --coord-port which one outside of this job you mean."
            : "No coordinator of yours is running. Start a program with dmlaunch, or a coordinator with dmcoordinator.");

    private static string? NullWhenEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
