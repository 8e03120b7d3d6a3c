// World: Ordinary.

namespace Dormouse.Generator.Output;

/// <summary>
/// Writes <c>exports.renames</c>: the C# object defines <c>connect</c> itself, where the exported function and the gate
/// before it must be. Before anything is linked with it the object's symbol becomes <c>dm_managed_connect</c>.
/// </summary>
internal static class Renames
{
    public static string Write(IReadOnlyList<ExportedFunction> functions)
        => string.Concat(functions.Select(function => $"{function.Name} {function.ManagedName}\n"));
}
