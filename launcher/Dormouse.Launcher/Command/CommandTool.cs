using System.CommandLine;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Command;

/// <summary>dmcommand: one action per call.</summary>
internal static class CommandTool
{
    public static int Run(string[] args)
    {
        ToolCommand command = new("dmcommand", CommandHelp.Text);
        CoordinatorOptionsSet coordinator = new(command);
        Option<bool> checkpoint = command.Add<bool>("--checkpoint", "-c");
        Option<bool> waitingCheckpoint = command.Add<bool>("--bcheckpoint", "-bc");
        Option<bool> lastCheckpoint = command.Add<bool>("--kcheckpoint", "-kc");
        Option<bool> status = command.Add<bool>("--status", "-s");
        Option<bool> list = command.Add<bool>("--list", "-l");
        Option<string?> interval = command.Add<string?>("--interval", "-i");
        Option<bool> kill = command.Add<bool>("--kill", "-k");
        Option<bool> quit = command.Add<bool>("--quit", "-q");
        Option<string?> inspect = command.Add<string?>("--inspect");
        Option<string?> directory = command.Add<string?>("--ckptdir", "--ckpt-dir");
        Option<string?> codec = command.Add<string?>("--codec");
        Option<bool> keepExternal = command.Add<bool>("--keep-external-tcp");
        Option<bool> json = command.Add<bool>("--json");
        if (command.Parse(args) is not { } result) return ExitCode.Success;

        bool asJson = result.GetValue(json);
        bool killAfter = result.GetValue(lastCheckpoint);
        bool makesCheckpoint = killAfter || result.GetValue(checkpoint) || result.GetValue(waitingCheckpoint);
        bool keepsExternal = result.GetValue(keepExternal);
        int actions = Count(makesCheckpoint) + Count(result.GetValue(status)) + Count(result.GetValue(list)) + Count(result.GetValue(kill))
            + Count(result.GetValue(quit)) + Count(result.GetValue(inspect) is not null) + Count(result.GetValue(interval) is not null);
        if (actions != 1) throw new ToolException(ExitCode.Usage, "Give one action, such as --checkpoint or --status. See dmcommand --help.");

        if (keepsExternal && !killAfter)
            throw new ToolException(ExitCode.Usage, "--keep-external-tcp goes with --kcheckpoint: what a peer sends to programs that go on is not in the images. See dmcommand --help.");

        if (result.GetValue(inspect) is { } image) return InspectAction.Run(image, asJson);
        string? images = result.GetValue(directory) is { } given ? Path.GetFullPath(given) : null;
        CheckpointCommand request = new(Codecs.Parse(result.GetValue(codec)), killAfter, images ?? "", keepsExternal);
        if (images is not null && makesCheckpoint) SettingsReader.CheckDirectory(images, ExitCode.Failed);

        uint seconds = SettingsReader.Interval(result.GetValue(interval)) ?? 0;
        CoordinatorRequest wanted = coordinator.Request(result);
        using CoordinatorClient client = CoordinatorFinder.Connect(wanted);
        if (CoordinatorFinder.Doubt(wanted, client.Address) is { } doubt) Terminal.Complain("dmcommand", doubt);
        if (makesCheckpoint) return CheckpointAction.Run(client, request, asJson);
        if (result.GetValue(status)) return StatusAction.Run(client, asJson);
        if (result.GetValue(list)) return ListAction.Run(client, asJson);
        if (result.GetValue(kill)) client.Send(default(KillCommand));
        else if (result.GetValue(quit)) client.Send(default(QuitCommand));
        else client.Send(new IntervalCommand(seconds));
        client.Expect<CommandDone>();

        // Who starts a program next must not find a coordinator that is about to end.
        if (result.GetValue(quit)) client.AwaitEnd();
        return ExitCode.Success;
    }

    private static int Count(bool wanted) => wanted ? 1 : 0;
}
