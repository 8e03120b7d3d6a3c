// World: Ordinary.

namespace Dormouse.Generator.Output;

internal static class OutputFile
{
    /// <summary>Writes a file only when its contents change, so that nothing is compiled again for nothing.</summary>
    public static void Write(string path, string contents)
    {
        if (File.Exists(path) && File.ReadAllText(path) == contents)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, contents);
    }
}
