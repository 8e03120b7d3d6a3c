using Dormouse.Launcher.Command;
using Dormouse.Launcher.CoordinatorTool;
using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Launch;
using Dormouse.Launcher.Restart;
using Dormouse.Launcher.Restart.Hosts;
using Dormouse.Launcher.Ssh;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher;

/// <summary>One executable for all commands: which one it is, its name says (or its first argument, when called dormouse).</summary>
internal static class Program
{
    private static int Main()
    {
        string[] arguments = Start.Arguments();
        string name = arguments.Length > 0 ? Path.GetFileName(arguments[0]) : "dormouse";
        int first = 1;
        if (SshCommand.IsMeant)
        {
            name = "dmssh";
        }
        else if (name == "dormouse" && arguments.Length > 1)
        {
            name = "dm" + arguments[1];
            first = 2;
        }

        string[] rest = arguments[Math.Min(first, arguments.Length)..];
        try
        {
            return name switch
            {
                "dmlaunch" => LaunchCommand.Run(rest, first),
                "dmcommand" => CommandTool.Run(rest),
                "dmrestart" => RestartCommand.Run(rest),
                "dmcoordinator" => CoordinatorCommand.Run(rest),
                "dmssh" => SshCommand.Run(rest),
                "dm" + SshWords.RemoteName => SshRemoteCommand.Run(),
                "dm" + PartWords.RemoteName => RemotePartCommand.Run(),
                "dm--version" => Say(ProgramVersion.Line("dormouse")),
                _ => throw new ToolException(ExitCode.Usage, "Call it dmlaunch, dmcommand, dmrestart or dmcoordinator (or say: dormouse launch …)."),
            };
        }
        catch (ToolException problem)
        {
            Terminal.Complain(name, problem.Message);
            return problem.ExitCode;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ProtocolException)
        {
            Terminal.Complain(name, problem.Message);
            return name == "dmlaunch" ? ExitCode.CannotLaunch : ExitCode.Failed;
        }
    }

    private static int Say(string line)
    {
        Terminal.WriteLine(Terminal.Out, line);
        return ExitCode.Success;
    }
}
