// World: Ordinary.

namespace Dormouse.Generator.Checks;

internal static class AllChecks
{
    /// <summary>Everything that is wrong with these entry points and the code that they reach; empty when nothing is.</summary>
    public static IReadOnlyList<Finding> Run(IReadOnlyList<EntryPoint> entries, IReadOnlyList<string> also)
        => [.. SignatureCheck.Run(entries), .. NameCheck.Run(entries, also), .. ReachabilityCheck.Run(entries)];
}
