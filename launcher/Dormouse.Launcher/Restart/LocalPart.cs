using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Launch;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>What wakes on this host: its images, examined, and the way they take. All of a generation, or a part of it.</summary>
internal sealed class LocalPart
{
    private readonly IReadOnlyList<ImageFile> _images;
    private readonly string _restorer = Restorer.FindProgram();
    private readonly RestartPlanner _planner;

    /// <param name="images">Those that <see cref="Preflight"/> has found nothing wrong with.</param>
    /// <param name="differences">What will not be as it was.</param>
    /// <param name="options">What the user wants.</param>
    /// <param name="hasTerminal">Whether the program can have the terminal of this process.</param>
    public LocalPart(IReadOnlyList<ImageFile> images, IReadOnlyList<string> differences, RestartOptions options, bool hasTerminal)
    {
        (_images, Differences) = (images, differences);
        _planner = new RestartPlanner(images, options, Restorer.Probe(_restorer), hasTerminal);
    }

    public IReadOnlyList<string> Differences { get; }

    /// <summary>Which way is taken, in words.</summary>
    public string Way => _planner.Way;

    /// <summary>The first image says what all of them belong to.</summary>
    public ImageManifest First => _images[0].Manifest;

    /// <exception cref="RestartException">The first problem that there is.</exception>
    public static LocalPart Open(IEnumerable<string> paths, RestartOptions options, bool hasTerminal)
    {
        List<ImageFile> images = [.. paths.Select(ImageFile.Open)];
        PreflightResult preflight = Preflight.Examine(images);
        return preflight.Problems.Count == 0
            ? new LocalPart(images, preflight.Differences, options, hasTerminal)
            : throw new RestartException(preflight.Problems[0]);
    }

    /// <exception cref="ImageFormatException">An image is damaged.</exception>
    public void VerifyMemory()
    {
        foreach (ImageFile image in _images) image.VerifyMemory();
    }

    /// <exception cref="RestartException">One of these processes still lives here.</exception>
    public void RefuseWhileRunning() => StillRunning.Refuse(_images);

    /// <summary>This process becomes the restorer: does not return unless that fails.</summary>
    public RestartException Become(CoordinatorContact coordinator, ulong session)
    {
        byte[] plan = PlanWriter.Write(_planner.PlanWith(coordinator, session) with { Library = PreloadLibrary.Find() });
        Start.Restore();
        RestartException problem = Restorer.Become(_restorer, plan, coordinator.Descriptor);
        GC.KeepAlive(coordinator);
        return problem;
    }
}
