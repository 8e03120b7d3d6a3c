// World: Ordinary.

using Mono.Cecil;

namespace Dormouse.Generator.Checks;

/// <summary>What code inside a process may not use, by the full name of a type or the beginning of it.</summary>
internal static class Forbidden
{
    /// <summary>Longest match first is not needed: the prefixes do not overlap. A trailing dot means a whole namespace.</summary>
    private static readonly (string Prefix, Rule Rule)[] s_types =
    [
        ("System.Threading.Thread", Rule.UsesThreads), // also ThreadPool, ThreadLocal, ThreadStart
        ("System.Threading.Tasks.", Rule.UsesThreads),
        ("System.Threading.Timer", Rule.UsesThreads),
        ("System.Threading.PeriodicTimer", Rule.UsesThreads),
        ("System.Threading.CancellationTokenSource", Rule.UsesThreads), // may own a timer
        ("System.Threading.EventWaitHandle", Rule.UsesThreads),
        ("System.Threading.AutoResetEvent", Rule.UsesThreads),
        ("System.Threading.ManualResetEvent", Rule.UsesThreads),
        ("System.Threading.Semaphore", Rule.UsesThreads),
        ("System.Threading.Barrier", Rule.UsesThreads),
        ("System.Threading.CountdownEvent", Rule.UsesThreads),
        ("System.Timers.", Rule.UsesThreads),
        ("System.Runtime.CompilerServices.Async", Rule.UsesThreads), // method builders of async methods
        ("System.Runtime.CompilerServices.TaskAwaiter", Rule.UsesThreads),
        ("System.Console", Rule.UsesProgramResources),
        ("System.IO.File", Rule.UsesProgramResources), // also FileStream, FileInfo
        ("System.IO.Directory", Rule.UsesProgramResources),
        ("System.IO.RandomAccess", Rule.UsesProgramResources),
        ("System.IO.Pipes.", Rule.UsesProgramResources),
        ("System.Net.Sockets.", Rule.UsesProgramResources),
        ("System.Diagnostics.Process", Rule.UsesProgramResources),
        ("System.TimeZoneInfo", Rule.UsesProgramResources), // reads files
    ];

    private static readonly (string Member, Rule Rule)[] s_members =
    [
        ("System.Environment::GetEnvironmentVariable", Rule.UsesProgramResources), // there is none: embed/settings.c
        ("System.Environment::SetEnvironmentVariable", Rule.UsesProgramResources),
        ("System.Environment::Exit", Rule.UsesProgramResources),
        ("System.DateTime::get_Now", Rule.UsesProgramResources), // time zones are files; UtcNow is fine
        ("System.GC::WaitForPendingFinalizers", Rule.UsesThreads), // waits for ever
        ("System.Object::GetType", Rule.AsksForType),
    ];

    /// <summary>The rule that using this member breaks, or null.</summary>
    public static Rule? RuleFor(MemberReference member)
    {
        string type = TypeName(member.DeclaringType);
        foreach ((string prefix, Rule rule) in s_types)
        {
            if (type.StartsWith(prefix, StringComparison.Ordinal))
                return rule;
        }

        string full = $"{type}::{member.Name}";
        foreach ((string name, Rule rule) in s_members)
        {
            if (full == name)
                return rule;
        }

        return null;
    }

    private static string TypeName(TypeReference? type) => type switch
    {
        null => "",
        { DeclaringType: { } outer } => TypeName(outer),
        _ => type.GetElementType().FullName,
    };
}
