using System.CommandLine;
using Dormouse.Coordinator.Host;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Ssh;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Launch;

/// <summary>dmlaunch: finds or starts a coordinator, then becomes the program.</summary>
internal static class LaunchCommand
{
    /// <param name="args">Without the command's own name.</param>
    /// <param name="firstIndex">Where they begin in argv.</param>
    public static int Run(string[] args, int firstIndex)
    {
        ToolCommand command = new("dmlaunch", LaunchHelp.Text);
        CoordinatorOptionsSet coordinator = new(command);
        Option<string?> portFile = command.Add<string?>("--port-file");
        Option<bool> join = command.Add<bool>("--join-coordinator", "-j", "--join");
        Option<bool> fresh = command.Add<bool>("--new-coordinator");
        command.Add<bool>("--any-coordinator");
        Option<string?> interval = command.Add<string?>("--interval", "-i");
        Option<string?> directory = command.Add<string?>("--ckptdir", "--ckpt-dir");
        Option<string?> keep = command.Add<string?>("--keep");
        Option<string?> log = command.Add<string?>("--coord-logfile");
        command.Add<bool>("--exit-on-last");
        command.Add<bool>("--daemon");
        command.Add<bool>("--quiet", "-q");
        command.Add<bool>("--gzip");
        command.Add<bool>("--no-gzip");

        int programIndex = command.IndexOfProgram(args);
        if (command.Parse(args[..programIndex]) is not { } result) return ExitCode.Success;
        if (programIndex >= args.Length) throw new ToolException(ExitCode.Usage, "Which program? Say: dmlaunch PROGRAM [arguments]. See dmlaunch --help.");

        string program = ProgramCheck.Find(args[programIndex]);
        ProgramCheck.Check(program);
        string library = PreloadLibrary.Find();
        uint? seconds = SettingsReader.Interval(result.GetValue(interval));
        string? images = SettingsReader.Directory(result.GetValue(directory));
        if (images is not null) SettingsReader.CheckDirectory(images, ExitCode.CannotLaunch);

        CoordinatorRequest request = coordinator.Request(result) with
        {
            Mode = result.GetValue(fresh) ? CoordinatorMode.New : result.GetValue(join) ? CoordinatorMode.Join : CoordinatorMode.Any,
            PortFile = result.GetValue(portFile),
            StartOptions =
            [
                "--start-directory", Environment.CurrentDirectory, "--interval", (seconds ?? 0).ToString(),
                .. images is null ? [] : new[] { "--ckptdir", images },
                .. Number.Parse(result.GetValue(keep), "--keep", 1) is { } count ? ["--keep", count.ToString()] : Array.Empty<string>(),
                .. result.GetValue(log) is { } path ? ["--log", Path.GetFullPath(path)] : Array.Empty<string>(),
            ],
        };

        CoordinatorAddress address = Attach(request, seconds, images, Path.GetFileName(program));
        // Our library does the same to whoever starts ssh from here on.
        bool isRemote = SshCommand.Replaces(program);
        IEnumerable<KeyValuePair<string, string>> variables = MemberVariables(address, library);
        if (isRemote) variables = variables.Append(new(SshCommand.ProgramVariable, program));
        Errno error = Start.Exec(isRemote ? Environment.ProcessPath! : program, firstIndex + programIndex, variables);
        throw error == Errno.ENOENT
            ? new ToolException(ExitCode.NotFound, $"{program} cannot be run: its interpreter is missing.")
            : new ToolException(ExitCode.CannotExecute, $"{program} cannot be run: {error.Say()}.");
    }

    private static IEnumerable<KeyValuePair<string, string>> MemberVariables(CoordinatorAddress address, string library)
    {
        string others = MemberEnvironment.WithoutLibrary(Environment.GetEnvironmentVariable(MemberEnvironment.Preload) ?? "");
        yield return new(MemberEnvironment.Preload, others.Length > 0 ? $"{library}:{others}" : library);
        yield return new(MemberEnvironment.Coordinator, address.Endpoint.ToString());
        yield return new(MemberEnvironment.Token, address.Token);
        yield return new(MemberEnvironment.Stdio, StandardDescriptors.Describe());
        yield return new(MemberEnvironment.Namespaces, MemberEnvironment.OwnNamespaces);
        if (others.Length == 0) yield return new(MemberEnvironment.Even, "");
    }

    /// <summary>Makes sure that a coordinator is there and knows what this launch asks of it.</summary>
    private static CoordinatorAddress Attach(CoordinatorRequest request, uint? intervalSeconds, string? directory, string program)
    {
        using CoordinatorClient client = CoordinatorFinder.Open(request, out bool isNew);
        client.Send(new AnnounceCommand(OwnHost.Name, OwnHost.Id, Environment.ProcessId, LocalProcess.OwnStartTime(), program));
        client.Expect<CommandDone>();
        if (isNew) return client.Address;
        if (intervalSeconds is { } seconds)
        {
            client.Send(new IntervalCommand(seconds));
            client.Expect<CommandDone>();
        }

        if (directory is not null)
        {
            client.Send(new DirectoryCommand(directory));
            client.Expect<CommandDone>();
        }

        return client.Address;
    }
}
