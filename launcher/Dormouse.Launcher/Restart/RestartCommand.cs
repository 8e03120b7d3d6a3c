using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>dmrestart: looks at images, plans, and becomes the restorer.</summary>
public static class RestartCommand
{
    private const int ExitDone = 0;
    private const int ExitUsage = 2;
    private const int ExitNotRestarted = 125;

    /// <summary>Runs the command. When all goes well this process becomes the restorer and the method does not return.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (Array.Exists(args, argument => argument == "--help"))
        {
            Console.Out.WriteLine(RestartOptions.Help);
            return ExitDone;
        }

        try
        {
            return Run(RestartOptions.Parse(args));
        }
        catch (UsageException problem)
        {
            Say($"{problem.Message} See dmrestart --help.");
            return ExitUsage;
        }
        catch (Exception problem) when (problem is RestartException or ImageFormatException or IOException or UnauthorizedAccessException)
        {
            Say(problem.Message);
            return ExitNotRestarted;
        }
    }

    private static int Run(RestartOptions options)
    {
        Generation generation = GenerationChooser.Choose(options.Images, note => SayUnlessQuiet(options, note));
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

            return ExitNotRestarted;
        }

        string restorer = Restorer.FindProgram();
        var planner = new RestartPlanner(images, options, Restorer.Probe(restorer));
        string what = $"{images.Count} {(images.Count == 1 ? "process" : "processes")} of generation {generation.Number} of computation {Generation.NameOf(generation.Computation)}";
        return options.CheckOnly
            ? Report(images, preflight, $"{what} can be woken here, {planner.Way}.")
            : Wake(options, generation, planner, restorer, $"waking {what} {planner.Way}");
    }

    private static int Report(List<ImageFile> images, PreflightResult preflight, string summary)
    {
        foreach (ImageFile image in images)
        {
            image.VerifyMemory();
        }

        foreach (string difference in preflight.Differences)
        {
            Console.Out.WriteLine(difference);
        }

        Console.Out.WriteLine(summary);
        return ExitDone;
    }

    private static int Wake(RestartOptions options, Generation generation, RestartPlanner planner, string restorer, string what)
    {
        ulong session = RestartPlanner.NewSession();
        CoordinatorAddress coordinator = RestartCoordinator.Begin(options, generation, session);
        SayUnlessQuiet(options, what);
        byte[] plan = PlanWriter.Write(planner.PlanWith(coordinator, session));
        throw Restorer.Become(restorer, plan, coordinator.Descriptor);
    }

    private static void SayUnlessQuiet(RestartOptions options, string message)
    {
        if (!options.Quiet)
        {
            Say(message);
        }
    }

    private static void Say(string message) => Console.Error.WriteLine($"dmrestart: {message}");
}
