using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Restart;

/// <summary>Finds or starts the coordinator and tells it who will come.</summary>
internal static class RestartCoordinator
{
    /// <summary>Connects, and announces the restart. The connection stays open: the restorer hears the end of the restart on it.</summary>
    /// <exception cref="ToolException">No coordinator, or it refuses.</exception>
    public static CoordinatorContact Begin(RestartOptions options, Generation generation, ulong session)
    {
        CoordinatorRequest request = new()
        {
            Mode = options.Coordinator switch
            {
                CoordinatorChoice.Join => CoordinatorMode.Join,
                CoordinatorChoice.New => CoordinatorMode.New,
                _ => CoordinatorMode.Any,
            },
            Host = options.CoordinatorHost,
            Port = options.CoordinatorPort,
            PortFile = options.PortFile,
        };
        try
        {
            return Announce(CoordinatorFinder.Open(request, out _), options, generation, session);
        }
        catch (ToolException problem) when (problem.ExitCode == ExitCode.Busy && request is { Mode: CoordinatorMode.Any, Host: null, Port: null })
        {
            // The user's coordinator has another computation: that is no reason not to wake this one.
            return Announce(CoordinatorFinder.Open(request with { Mode = CoordinatorMode.New }, out _), options, generation, session);
        }
    }

    /// <summary>The directory where the next images go: that of these, or of the newest generation when these are archived.</summary>
    internal static string DirectoryOf(Generation generation)
    {
        string directory = Path.GetDirectoryName(generation.Paths[0])!;
        string? parent = Path.GetDirectoryName(directory);
        return parent is not null && Path.GetFileName(directory).StartsWith("generation-", StringComparison.Ordinal) ? parent : directory;
    }

    private static CoordinatorContact Announce(CoordinatorClient client, RestartOptions options, Generation generation, ulong session)
    {
        ExpectIdle(client);
        SetDirectory(client, options, generation);
        if (options.Interval is { } interval)
        {
            client.Send(new IntervalCommand((uint)interval.TotalSeconds));
            client.Expect<CommandDone>();
        }

        client.Send(new RestartBegin(generation.Computation, generation.Number, session, (uint)generation.Paths.Count));
        client.Expect<RestartAccepted>();
        _ = TokenProof.TryParseToken(client.Address.Token, out byte[] token);
        return new CoordinatorContact(client.Address.Endpoint.Address.ToString(), (ushort)client.Address.Endpoint.Port, token, client.Descriptor, client);
    }

    /// <summary>Asked before anything is changed in what may be the coordinator of another computation.</summary>
    private static void ExpectIdle(CoordinatorClient client)
    {
        client.Send(default(StatusCommand));
        StatusReport status = client.Expect<StatusReport>();
        if (status.Members > 0 || status.Phase != Phase.Running)
        {
            throw new ToolException(ExitCode.Busy,
                $"The coordinator at {client.Address.Endpoint} has {status.Members} processes. End them first (dmcommand --kill) or use another coordinator (--new-coordinator).");
        }
    }

    private static void SetDirectory(CoordinatorClient client, RestartOptions options, Generation generation)
    {
        try
        {
            client.Send(new DirectoryCommand(Path.GetFullPath(options.CheckpointDirectory ?? DirectoryOf(generation))));
            client.Expect<CommandDone>();
        }
        catch (ToolException problem) when (options.CheckpointDirectory is null && problem.ExitCode == ExitCode.Failed)
        {
            // The images lie where nothing can be written. They can be woken all the same; the next checkpoint says where it wants to go.
        }
    }
}
