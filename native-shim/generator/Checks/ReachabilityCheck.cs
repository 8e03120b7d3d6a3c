// World: Ordinary.

using Mono.Cecil;

namespace Dormouse.Generator.Checks;

/// <summary>Nothing that an entry point reaches uses threads, the program's resources, or finalizers.</summary>
internal static class ReachabilityCheck
{
    public static IEnumerable<Finding> Run(IReadOnlyList<EntryPoint> entries)
    {
        if (entries.Count == 0)
            return [];
        CallGraph graph = CallGraph.From([.. entries.Select(entry => entry.Method)]);
        var findings = new HashSet<Finding>();
        foreach ((MethodDefinition user, MemberReference used) in graph.Uses)
        {
            if (Forbidden.RuleFor(used) is { } rule)
                findings.Add(new Finding(rule, $"{used.DeclaringType.FullName}.{used.Name} is used by {graph.PathTo(user)}; {Why(rule)}"));
            else if (MakesFinalizable(used) is { } type)
                findings.Add(new Finding(Rule.HasFinalizer, $"{type.FullName} is made by {graph.PathTo(user)}; {Why(Rule.HasFinalizer)}"));
        }

        return findings.OrderBy(finding => finding.Rule);
    }

    private static string Why(Rule rule) => rule switch
    {
        Rule.UsesThreads => "the guest is the only thread of C# in a process, see dm_embed.h",
        Rule.UsesProgramResources => "descriptors, streams and environment belong to the program: go through Interop",
        Rule.HasFinalizer => "no finalizer ever runs in a process: free it explicitly, without a finalizer",
        _ => "",
    };

    /// <summary>The type with a finalizer that this constructor makes, or null.</summary>
    private static TypeDefinition? MakesFinalizable(MemberReference used)
    {
        if (used is not MethodReference { Name: ".ctor" } constructor)
            return null;
        TypeDefinition? made = constructor.DeclaringType.Resolve();
        for (TypeDefinition? type = made; type is not null && type.FullName != "System.Object"; type = type.BaseType?.Resolve())
        {
            if (type.Methods.Any(method => method is { Name: "Finalize", HasParameters: false, IsVirtual: true }))
                return made;
        }

        return null;
    }
}
