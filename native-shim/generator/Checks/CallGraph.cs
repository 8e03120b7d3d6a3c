// World: Ordinary.

using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Dormouse.Generator.Checks;

/// <summary>All code of this project that a set of methods can reach, and from where.</summary>
/// <remarks>
/// Follows calls, objects made, delegates, static constructors, and every override or implementation that a virtual call
/// might mean. Stops at assemblies that are not the project's: what those do is judged by the name of what is called.
/// Errs towards reaching too much.
/// </remarks>
internal sealed class CallGraph
{
    private readonly Dictionary<MethodDefinition, MethodDefinition?> _reachedFrom = [];
    private readonly Queue<MethodDefinition> _pending = new();
    private readonly HashSet<TypeDefinition> _initialised = [];
    private readonly HashSet<AssemblyDefinition> _assemblies;
    private readonly ILookup<string, MethodDefinition> _overrides;

    private CallGraph(ModuleDefinition root)
    {
        _assemblies = OwnAssemblies(root);
        _overrides = _assemblies.SelectMany(assembly => assembly.Modules).SelectMany(module => module.GetTypes())
                                .SelectMany(type => type.Methods).Where(method => method.IsVirtual && method.HasBody)
                                .ToLookup(ShortName);
    }

    /// <summary>Every member used, with the method that uses it.</summary>
    public List<(MethodDefinition User, MemberReference Used)> Uses { get; } = [];

    public static CallGraph From(IReadOnlyList<MethodDefinition> roots)
    {
        var graph = new CallGraph(roots[0].Module);
        foreach (MethodDefinition root in roots)
            graph.Reach(root, null);
        while (graph._pending.TryDequeue(out MethodDefinition? method))
            graph.Walk(method);
        return graph;
    }

    /// <summary>How a method is reached: <c>Step.Run, called by Loop.Turn</c>.</summary>
    public string PathTo(MethodDefinition method)
    {
        var steps = new List<string>();
        for (MethodDefinition? at = method; at is not null && steps.Count < 6; at = _reachedFrom[at])
            steps.Add($"{at.DeclaringType.Name}.{at.Name}");
        return string.Join(", reached from ", steps);
    }

    private void Reach(MethodDefinition method, MethodDefinition? from)
    {
        if (!_assemblies.Contains(method.Module.Assembly) || !_reachedFrom.TryAdd(method, from))
            return;
        _pending.Enqueue(method);
        Initialise(method.DeclaringType, from ?? method);
    }

    private void Initialise(TypeDefinition type, MethodDefinition from)
    {
        if (!_assemblies.Contains(type.Module.Assembly) || !_initialised.Add(type))
            return;
        if (type.Methods.FirstOrDefault(method => method.IsConstructor && method.IsStatic) is { } constructor)
            Reach(constructor, from);
    }

    private void Walk(MethodDefinition method)
    {
        if (!method.HasBody)
            return;
        foreach (VariableDefinition variable in method.Body.Variables)
        {
            // The state machine of an async method is a local variable of it.
            if (variable.VariableType.Resolve() is { } type && _assemblies.Contains(type.Module.Assembly))
                Initialise(type, method);
        }

        foreach (Instruction instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case MethodReference called:
                    Use(method, called, instruction.OpCode.Code is Code.Callvirt or Code.Ldvirtftn);
                    break;
                case FieldReference field:
                    Uses.Add((method, field));
                    if (field.DeclaringType.Resolve() is { } owner)
                        Initialise(owner, method);
                    break;
            }
        }
    }

    private void Use(MethodDefinition user, MethodReference called, bool isVirtual)
    {
        Uses.Add((user, called));
        MethodDefinition? target = called.Resolve();
        if (target is null)
            return;
        Reach(target, user);
        if (isVirtual && target.IsVirtual)
        {
            foreach (MethodDefinition possible in _overrides[ShortName(target)])
                Reach(possible, user);
        }
    }

    /// <summary>Name and number of parameters: coarse, so that no override is missed. Explicit implementations keep the last part.</summary>
    private static string ShortName(MethodDefinition method)
        => $"{method.Name[(method.Name.LastIndexOf('.') + 1)..]}/{method.Parameters.Count}";

    private static HashSet<AssemblyDefinition> OwnAssemblies(ModuleDefinition root)
    {
        var found = new HashSet<AssemblyDefinition> { root.Assembly };
        string family = root.Assembly.Name.Name.Split('.')[0];
        foreach (AssemblyNameReference reference in root.AssemblyReferences.Where(reference => reference.Name.Split('.')[0] == family))
            found.Add(root.AssemblyResolver.Resolve(reference));
        return found;
    }
}
