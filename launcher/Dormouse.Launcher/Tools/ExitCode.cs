namespace Dormouse.Launcher.Tools;

/// <summary>Exit codes of the tools. dmlaunch and dmrestart otherwise end as the program does.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>It was tried and did not work; one sentence on standard error.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No coordinator answers.</summary>
    public const int NoCoordinator = 3;

    /// <summary>The coordinator has no process.</summary>
    public const int NothingAttached = 4;

    /// <summary>The coordinator has something else to do just now.</summary>
    public const int Busy = 5;

    /// <summary>The coordinator does not let us in.</summary>
    public const int Refused = 6;

    /// <summary>The tool itself could not do it; as env(1), nice(1) and timeout(1) say it.</summary>
    public const int CannotLaunch = 125;

    /// <summary>The program is there but cannot be run.</summary>
    public const int CannotExecute = 126;

    /// <summary>The program is not there.</summary>
    public const int NotFound = 127;
}
