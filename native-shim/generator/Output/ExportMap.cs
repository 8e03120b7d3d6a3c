// World: Ordinary.

using System.Text;

namespace Dormouse.Generator.Output;

/// <summary>Writes <c>exports.map</c>, the version script of the library: what the program and its debuggers can see.</summary>
internal static class ExportMap
{
    /// <summary>What the native tests call and a debugger wants to find.</summary>
    private static readonly string[] s_own = ["dm_runtime_*", "dm_raw_thread*", "dm_guest", "dm_managed_ping"];

    /// <param name="functions">Those that C# replaces.</param>
    /// <param name="also">Those that C replaces.</param>
    public static string Write(IReadOnlyList<ExportedFunction> functions, IReadOnlyList<string> also)
    {
        var text = new StringBuilder("{\n    global:\n");
        foreach (string name in s_own.Concat(functions.Select(function => function.Name)).Concat(also))
            text.Append($"        {name};\n");
        return text.Append("    local:\n        *;\n};\n").ToString();
    }
}
