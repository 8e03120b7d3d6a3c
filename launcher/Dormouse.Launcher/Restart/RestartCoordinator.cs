using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Restart;

/// <summary>Finds or starts the coordinator and tells it who will come.</summary>
internal static class RestartCoordinator
{
    /// <summary>Finds one that has nothing else to do, or starts one, and tells it where the next images go.</summary>
    /// <param name="directory">Of the images that wake.</param>
    /// <exception cref="ToolException">There is none, or it refuses.</exception>
    public static CoordinatorClient Open(RestartOptions options, string directory)
    {
        CoordinatorRequest request = new()
        {
            Mode = options.Coordinator switch
            {
                _ when options.IsPart => CoordinatorMode.Join,
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
            return Prepare(CoordinatorFinder.Open(request, out _), options, directory);
        }
        catch (ToolException problem) when (problem.ExitCode == ExitCode.Busy && request is { Mode: CoordinatorMode.Any, Host: null, Port: null })
        {
            // The user's coordinator has another computation: that is no reason not to wake this one.
            return Prepare(CoordinatorFinder.Open(request with { Mode = CoordinatorMode.New }, out _), options, directory);
        }
    }

    /// <summary>The restart is refused: one that was started for it is not needed, and its port is free again when this returns.</summary>
    public static void GiveUp(CoordinatorClient client)
    {
        if (!client.IsNew) return;
        try
        {
            client.Send(default(DismissCommand));
            client.AwaitEnd();
        }
        catch (ToolException)
        {
            // It has ended.
        }
    }

    /// <summary>Announces the restart. The connection stays open: the restorer hears the end of the restart on it.</summary>
    public static CoordinatorContact Begin(CoordinatorClient client, in RestartBegin request)
    {
        client.Send(request);
        client.Expect<RestartAccepted>();
        _ = TokenProof.TryParseToken(client.Address.Token, out byte[] token);
        return new CoordinatorContact(client.Address.Endpoint.Address.ToString(), (ushort)client.Address.Endpoint.Port, token, client.Descriptor, client);
    }

    private static CoordinatorClient Prepare(CoordinatorClient client, RestartOptions options, string directory)
    {
        try
        {
            // Whatever ends this process now (^C): nobody would tell the coordinator.
            if (client.IsNew) client.Send(default(PreparingCommand));
            ExpectIdle(client, options);
            SetDirectory(client, options, directory);
            SetInterval(client, options);
            return client;
        }
        catch
        {
            GiveUp(client);
            throw;
        }
    }

    private static void SetInterval(CoordinatorClient client, RestartOptions options)
    {
        if (options.Interval is not { } interval) return;
        client.Send(new IntervalCommand((uint)interval.TotalSeconds));
        client.Expect<CommandDone>();
    }

    /// <summary>Asked before anything is changed in what may be the coordinator of another computation.</summary>
    private static void ExpectIdle(CoordinatorClient client, RestartOptions options)
    {
        client.Send(default(StatusCommand));
        StatusReport status = client.Expect<StatusReport>();
        if (options.IsPart && status.Phase == Phase.Memory)
        {
            return;
        }

        if (status.Members > 0 || status.Phase != Phase.Running)
        {
            throw new ToolException(ExitCode.Busy,
                $"The coordinator at {client.Address.Endpoint} has {status.Members} processes. End them first (dmcommand --kill) or use another coordinator (--new-coordinator).");
        }
    }

    /// <summary>That of these images, or of the newest generation when these are archived.</summary>
    private static void SetDirectory(CoordinatorClient client, RestartOptions options, string directory)
    {
        string? parent = Path.GetDirectoryName(directory);
        string next = parent is not null && Path.GetFileName(directory).StartsWith("generation-", StringComparison.Ordinal) ? parent : directory;
        try
        {
            client.Send(new DirectoryCommand(Path.GetFullPath(options.CheckpointDirectory ?? next)));
            client.Expect<CommandDone>();
        }
        catch (ToolException problem) when (options.CheckpointDirectory is null && problem.ExitCode == ExitCode.Failed)
        {
            // The images lie where nothing can be written. They can be woken all the same; the next checkpoint says where it wants to go.
        }
    }
}
