using System.Globalization;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>The images of one checkpoint of one computation.</summary>
/// <param name="Computation">Which computation.</param>
/// <param name="Number">Which checkpoint.</param>
/// <param name="ImageCount">How many images it has in all.</param>
/// <param name="Paths">One absolute path for each member that wakes here, by member number.</param>
internal sealed record Generation(ulong Computation, uint Number, uint ImageCount, IReadOnlyList<string> Paths)
{
    /// <summary>"3 processes of generation 2 of computation 70d54411".</summary>
    public static string Describe(int processes, uint number, ulong computation)
        => $"{processes} {(processes == 1 ? "process" : "processes")} of generation {number} of computation {NameOf(computation)}";

    /// <summary>How a computation is called in file names.</summary>
    public static string NameOf(ulong computation) => ((uint)computation).ToString("x8", CultureInfo.InvariantCulture);
}

/// <summary>Chooses what to wake: the newest generation that is complete.</summary>
/// <remarks>
/// The images given count first, in any order and from any directories. When these are not complete, the places where
/// checkpoints keep the others are looked at: the same directory, its generation-N directories, and one level up.
/// </remarks>
internal sealed class GenerationChooser
{
    private readonly SortedDictionary<(ulong Computation, uint Number), SortedDictionary<uint, string>> _images = [];
    private readonly Dictionary<(ulong Computation, uint Number), uint> _counts = [];
    private readonly HashSet<string> _seen = [];

    private GenerationChooser()
    {
    }

    /// <summary>Chooses among the files and directories given.</summary>
    /// <param name="arguments">Paths as the user gave them.</param>
    /// <param name="note">Called with a sentence when not the newest is taken.</param>
    /// <exception cref="RestartException">Nothing is complete, or images of two computations were given.</exception>
    /// <exception cref="ImageFormatException">A file given is not a whole image.</exception>
    public static Generation Choose(IReadOnlyList<string> arguments, Action<string> note)
    {
        var chooser = new GenerationChooser();
        List<string> directories = [];
        foreach (string argument in arguments)
        {
            chooser.AddArgument(Path.GetFullPath(argument), argument, directories);
        }

        (ulong computation, uint newest) = chooser.OnlyComputation();
        if (chooser.Complete(computation, newest) is { } given)
        {
            return given;
        }

        foreach (string directory in directories)
        {
            chooser.AddNeighbours(directory, computation);
        }

        return chooser.NewestComplete(computation, newest, note);
    }

    private void AddArgument(string path, string shown, List<string> directories)
    {
        if (Directory.Exists(path))
        {
            directories.Add(path);
            string[] images = ImagesIn(path);
            if (images.Length == 0)
            {
                throw new RestartException($"There is no image (ckpt_*.img) in {shown}.");
            }

            foreach (string image in images)
            {
                Add(image, ImageFile.OpenHeader(image));
            }

            return;
        }

        if (!File.Exists(path))
        {
            throw new RestartException($"There is no image {shown}.");
        }

        directories.Add(Path.GetDirectoryName(path)!);
        Add(path, ImageFile.OpenHeader(path));
    }

    private void Add(string path, ImageHeader header)
    {
        if (!_seen.Add(path))
        {
            return;
        }

        (ulong, uint) key = (header.Computation, header.Generation);
        if (!_images.TryGetValue(key, out SortedDictionary<uint, string>? members))
        {
            _images[key] = members = [];
        }

        members.TryAdd(header.Member, path);
        _counts[key] = header.ImageCount;
    }

    private (ulong Computation, uint Newest) OnlyComputation()
    {
        ulong? computation = null;
        uint newest = 0;
        foreach ((ulong Computation, uint Number) key in _images.Keys)
        {
            if (computation is { } other && other != key.Computation)
            {
                throw new RestartException(
                    $"The images are of two computations, {Generation.NameOf(other)} and {Generation.NameOf(key.Computation)}. Give those of one.");
            }

            computation = key.Computation;
            newest = Math.Max(newest, key.Number);
        }

        return (computation ?? throw new RestartException("Give the images to wake: dmrestart ckpt_*.img."), newest);
    }

    private Generation? Complete(ulong computation, uint number)
        => _images.TryGetValue((computation, number), out SortedDictionary<uint, string>? members) && members.Count == _counts[(computation, number)]
            ? new Generation(computation, number, _counts[(computation, number)], [.. members.Values])
            : null;

    private Generation NewestComplete(ulong computation, uint newest, Action<string> note)
    {
        for (uint number = newest; ; number--)
        {
            if (Complete(computation, number) is { } found)
            {
                if (number != newest)
                {
                    note($"Generation {newest} is not complete; waking generation {number}.");
                }

                return found;
            }

            if (number == 0)
            {
                throw Missing(computation, newest);
            }
        }
    }

    private RestartException Missing(ulong computation, uint newest)
    {
        SortedDictionary<uint, string> members = _images[(computation, newest)];
        uint count = _counts[(computation, newest)];
        return new RestartException(
            $"Generation {newest} of computation {Generation.NameOf(computation)} has {count} images and only {members.Count} of them are here "
            + $"({string.Join(", ", members.Values.Select(Path.GetFileName))}), nor is an older one complete. Give the others too.");
    }

    /// <summary>Adds images of the same computation; files that are none, or damaged, do not matter here.</summary>
    private void AddNeighbours(string directory, ulong computation)
    {
        string? parent = Path.GetDirectoryName(directory);
        foreach (string place in Places(directory).Concat(parent is null ? [] : Places(parent)))
        {
            foreach (string image in ImagesIn(place))
            {
                try
                {
                    ImageHeader header = ImageFile.OpenHeader(image);
                    if (header.Computation == computation)
                    {
                        Add(image, header);
                    }
                }
                catch (Exception problem) when (problem is ImageFormatException or IOException or UnauthorizedAccessException)
                {
                    continue;
                }
            }
        }
    }

    private static IEnumerable<string> Places(string directory)
    {
        string[] archived;
        try
        {
            archived = Directory.GetDirectories(directory, "generation-*");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            archived = [];
        }

        return archived.Prepend(directory);
    }

    private static string[] ImagesIn(string directory)
    {
        try
        {
            string[] images = Directory.GetFiles(directory, "ckpt_*.img");
            Array.Sort(images, StringComparer.Ordinal);
            return images;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
