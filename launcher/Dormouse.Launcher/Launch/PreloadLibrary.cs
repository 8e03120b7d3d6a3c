using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;

namespace Dormouse.Launcher.Launch;

/// <summary>The library that goes into every process: ../lib/dormouse/libdormouse.so as seen from this executable.</summary>
internal static class PreloadLibrary
{
    public static string Find()
    {
        string bin = Path.GetDirectoryName(Environment.ProcessPath) ?? "/";
        string path = Path.GetFullPath(Path.Combine(bin, "..", "lib", "dormouse", MemberEnvironment.LibraryName));
        if (!File.Exists(path)) throw new ToolException(ExitCode.CannotLaunch, $"{path} is missing. Build it (./run build) or install Dormouse again.");
        if (path.AsSpan().ContainsAny(':', ' '))
            throw new ToolException(ExitCode.CannotLaunch, $"{path} has a colon or a blank in it, which LD_PRELOAD cannot express. Install Dormouse elsewhere.");
        return path;
    }
}
