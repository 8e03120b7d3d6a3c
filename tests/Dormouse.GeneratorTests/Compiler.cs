using System.Diagnostics;

namespace Dormouse.GeneratorTests;

/// <summary>The C compiler of this machine.</summary>
internal static class Compiler
{
    public readonly record struct Result(int ExitCode, string Output);

    public static Result Run(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("gcc", arguments) { WorkingDirectory = folder, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output);
    }
}

/// <summary>The source tree that this test was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CMakeLists.txt")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("no CMakeLists.txt above " + AppContext.BaseDirectory);
    }
}
