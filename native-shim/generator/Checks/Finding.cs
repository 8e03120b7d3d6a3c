// World: Ordinary.

namespace Dormouse.Generator.Checks;

/// <summary>Why the build fails.</summary>
/// <param name="Rule">Stays the same for ever, so that one can search for it.</param>
/// <param name="Text">One sentence: where, what, and what to do.</param>
internal readonly record struct Finding(Rule Rule, string Text)
{
    public override string ToString() => $"DM{(int)Rule:D4}: {Text}";
}

internal enum Rule
{
    /// <summary>C passes bits, not objects: an entry point takes and returns what one register carries.</summary>
    NotBlittable = 1,

    /// <summary>An entry point is static, not generic, and has a name.</summary>
    NotCallable = 2,

    /// <summary>Two entry points have one name, or two exported methods of a type cannot be told apart.</summary>
    NotUnique = 3,

    /// <summary>Only functions that libc has may be exported: others would appear in the program from nowhere.</summary>
    NoCounterpart = 4,

    /// <summary>Reaches threads, tasks, timers or the thread pool: the guest is the only thread.</summary>
    UsesThreads = 5,

    /// <summary>Reaches the console or files of System.IO: descriptors and streams are the program's.</summary>
    UsesProgramResources = 6,

    /// <summary>Makes objects with finalizers: nothing ever runs those.</summary>
    HasFinalizer = 7,

    /// <summary>Prints an enum or a record, whose texts are left out of the library.</summary>
    PrintsNoText = 8,

    /// <summary>Asks an object for its type, whose description is left out: that ends the process.</summary>
    AsksForType = 9,
}
