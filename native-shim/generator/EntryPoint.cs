// World: Ordinary.

using Mono.Cecil;

namespace Dormouse.Generator;

/// <summary>A method that C can call: it carries <c>[UnmanagedCallersOnly(EntryPoint = "…")]</c>.</summary>
/// <remarks>
/// Public ones replace a function of libc: they are exported from the library, behind a gate. Others belong to
/// native-shim, which calls them by their name (<c>dm_managed_…</c>) and looks after the gate itself. DNNE makes the same
/// distinction: it exports public methods only.
/// </remarks>
internal sealed record EntryPoint(MethodDefinition Method, string Name)
{
    private const string Marker = "System.Runtime.InteropServices.UnmanagedCallersOnlyAttribute";

    /// <summary>How the names of native-shim's own entry points begin.</summary>
    public const string OwnPrefix = "dm_managed_";

    public bool IsExported => Method.IsPublic;

    /// <summary>What it should be, judging by its name.</summary>
    public bool ReplacesLibc => IsExported && !Name.StartsWith(OwnPrefix, StringComparison.Ordinal);

    public override string ToString() => $"{Method.DeclaringType.FullName}.{Method.Name} ({Name})";

    /// <summary>All entry points of a module, in the order of its metadata, which is that of the source.</summary>
    /// <param name="module">The compiled runtime.</param>
    /// <param name="isWanted">Which types to look at; all when null.</param>
    public static IReadOnlyList<EntryPoint> ReadAll(ModuleDefinition module, Func<TypeDefinition, bool>? isWanted = null)
    {
        var found = new List<EntryPoint>();
        foreach (TypeDefinition type in module.GetTypes().Where(type => isWanted is null || isWanted(type)))
        {
            foreach (MethodDefinition method in type.Methods)
            {
                CustomAttribute? marker = method.CustomAttributes.FirstOrDefault(attribute => attribute.AttributeType.FullName == Marker);
                if (marker is not null)
                    found.Add(new EntryPoint(method, NameFrom(marker)));
            }
        }

        return found;
    }

    private static string NameFrom(CustomAttribute marker)
        => marker.Fields.Where(field => field.Name == "EntryPoint").Select(field => field.Argument.Value as string).FirstOrDefault() ?? "";
}
