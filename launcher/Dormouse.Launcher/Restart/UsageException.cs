namespace Dormouse.Launcher.Restart;

/// <summary>The command line is wrong. The message is one sentence.</summary>
public sealed class UsageException(string message) : Exception(message);
