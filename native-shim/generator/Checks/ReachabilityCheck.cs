// World: Ordinary.

using Dormouse.Generator.Output;
using Mono.Cecil;

namespace Dormouse.Generator.Checks;

/// <summary>Nothing that an entry point reaches uses threads, the program's resources, finalizers, or texts that are left out.</summary>
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
            else if (PrintedWithoutText(used) is { } printed)
                findings.Add(new Finding(Rule.PrintsNoText, $"{printed.FullName} is printed by {graph.PathTo(user)}; {Why(Rule.PrintsNoText)}"));
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
        Rule.AsksForType => "the library has no descriptions of types, see docs/decisions/0018: say it in words",
        Rule.PrintsNoText => "the library has no text of enums and records: say it in words, or print a number",
        _ => "",
    };

    /// <summary>The type that this puts into an interpolated string although it has no text, or null.</summary>
    private static TypeReference? PrintedWithoutText(MemberReference used)
    {
        if (used is not GenericInstanceMethod { Name: "AppendFormatted" } append)
            return null;
        TypeReference type = append.GenericArguments[0];
        type = type is GenericInstanceType { Name: "Nullable`1" } nullable ? nullable.GenericArguments[0] : type;
        return type.Resolve() is { } known && (known.IsEnum || RecordTexts.HasTextOfCompiler(known)) ? type : null;
    }

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
