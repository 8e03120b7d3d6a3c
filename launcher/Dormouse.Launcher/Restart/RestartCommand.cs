using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Restart.Hosts;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>dmrestart: looks at images, plans, and becomes the restorer.</summary>
public static class RestartCommand
{
    /// <summary>Runs the command. When all goes well this process becomes the restorer and the method does not return.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (Array.Exists(args, argument => argument == "--help"))
        {
            Terminal.WriteLine(Terminal.Out, RestartOptions.Help);
            return ExitCode.Success;
        }

        if (Array.Exists(args, argument => argument == "--version"))
        {
            Terminal.WriteLine(Terminal.Out, ProgramVersion.Line("dmrestart"));
            return ExitCode.Success;
        }

        try
        {
            return Run(RestartOptions.Parse(args));
        }
        catch (UsageException problem)
        {
            Say($"{problem.Message} See dmrestart --help.");
            return ExitCode.Usage;
        }
        catch (Exception problem) when (problem is RestartException or ToolException or ImageFormatException or IOException or UnauthorizedAccessException)
        {
            Say(problem.Message);
            return ExitCode.CannotLaunch;
        }
    }

    private static int Run(RestartOptions options)
    {
        if (options.Targets.Count > 0)
        {
            return new HostsRestart(options, note => SayUnlessQuiet(options, note)).Run();
        }

        Generation generation = options.IsPart
            ? PartChooser.Choose(options)
            : GenerationChooser.Choose(options.Images, note => SayUnlessQuiet(options, note));
        List<ImageFile> images = [];
        foreach (string path in generation.Paths)
        {
            images.Add(ImageFile.Open(path));
        }

        PreflightResult preflight = Preflight.Examine(images);
        if (preflight.Problems.Count > 0)
        {
            foreach (string problem in preflight.Problems)
            {
                Say(problem);
            }

            return ExitCode.CannotLaunch;
        }

        LocalPart part = new(images, preflight.Differences, options, RestartNative.HasTerminal());
        string what = Generation.Describe(images.Count, generation.Number, generation.Computation);
        if (options.CheckOnly)
        {
            return Report(part, $"{what} can be woken here, {part.Way}.");
        }

        part.RefuseWhileRunning();
        return Wake(options, generation, part, $"waking {what} {part.Way}");
    }

    private static int Report(LocalPart part, string summary)
    {
        part.VerifyMemory();
        foreach (string difference in part.Differences)
        {
            Terminal.WriteLine(Terminal.Out, difference);
        }

        Terminal.WriteLine(Terminal.Out, summary);
        return ExitCode.Success;
    }

    private static int Wake(RestartOptions options, Generation generation, LocalPart part, string what)
    {
        ulong session = RestartPlanner.NewSession();
        CoordinatorClient coordinator = RestartCoordinator.Open(options, Path.GetDirectoryName(generation.Paths[0])!);
        try
        {
            CoordinatorContact contact = RestartCoordinator.Begin(
                coordinator, new RestartBegin(generation.Computation, generation.Number, session, generation.ImageCount, options.IsPart));
            SayUnlessQuiet(options, what);
            throw part.Become(contact, session);
        }
        catch
        {
            RestartCoordinator.GiveUp(coordinator);
            throw;
        }
    }

    private static void SayUnlessQuiet(RestartOptions options, string message)
    {
        if (!options.Quiet)
        {
            Say(message);
        }
    }

    private static void Say(string message) => Terminal.Complain("dmrestart", message);
}
