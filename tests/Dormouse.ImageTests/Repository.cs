namespace Dormouse.ImageTests;

/// <summary>Where the repository is: the directory with Directory.Packages.props above the tests.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Restorer => Path.Combine(Root, "build/lib/dormouse/dormouse-restorer");

    private static string Find()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Directory.Packages.props")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("The tests do not lie in the repository.");
    }
}
