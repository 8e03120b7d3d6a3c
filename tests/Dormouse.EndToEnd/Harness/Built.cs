using NUnit.Framework;

namespace Dormouse.EndToEnd.Harness;

/// <summary>Where the build left things. Found upwards from the test assembly, so that any current directory will do.</summary>
internal static class Built
{
    public static string Root { get; } = FindRoot();

    /// <summary>What is tested: build/, or where DORMOUSE_BUILD says.</summary>
    public static string Build { get; } = Environment.GetEnvironmentVariable("DORMOUSE_BUILD") ?? Path.Combine(Root, "build");

    /// <summary>dmlaunch, dmcommand, dmrestart or dmcoordinator.</summary>
    public static string Tool(string name) => Existing(Path.Combine(Build, "bin", name));

    /// <summary>A program of samples/.</summary>
    public static string Sample(string name) => Existing(Path.Combine(Build, "samples", name));

    private static string Existing(string path)
        => File.Exists(path) ? path : throw new AssertionException($"{path} is not built. Run ./run build.");

    private static string FindRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Launcher.sln")) || File.Exists(Path.Combine(directory.FullName, "Directory.Packages.props")))
                return directory.FullName;
        }

        throw new AssertionException($"No Launcher.sln above {AppContext.BaseDirectory}.");
    }
}
