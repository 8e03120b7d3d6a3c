// World: Ordinary.

using Mono.Cecil;

namespace Dormouse.Generator;

/// <summary>An exported C function as the generated sources need it.</summary>
/// <param name="Name">Its name in C, that of the function of libc which it replaces.</param>
/// <param name="TypeName">The C# type, nested ones with a plus sign, as <c>Type.GetType</c> reads it.</param>
/// <param name="MethodName">The C# method.</param>
/// <param name="ReturnType">In C.</param>
/// <param name="Parameters">In C, in order.</param>
/// <param name="Declarations">C code that the signature needs, from <c>[C99DeclCode]</c>.</param>
/// <param name="CanFail">A negative result means a failure that errno explains.</param>
internal sealed record ExportedFunction(string Name, string TypeName, string MethodName, string ReturnType,
                                        IReadOnlyList<Parameter> Parameters, IReadOnlyList<string> Declarations, bool CanFail)
{
    private const string DeclarationCode = "DNNE.C99DeclCodeAttribute";

    /// <summary>The name that the C# object gets for it: the C name belongs to the exported function.</summary>
    public string ManagedName => "dm_managed_" + Name;

    public bool ReturnsValue => ReturnType != "void";

    /// <summary><c>int32_t fd, void* address</c>, or <c>void</c>.</summary>
    public string ParameterList
        => Parameters.Count == 0 ? "void" : string.Join(", ", Parameters.Select(parameter => $"{parameter.Type} {parameter.Name}"));

    public string ArgumentList => string.Join(", ", Parameters.Select(parameter => parameter.Name));

    public static ExportedFunction From(EntryPoint entry)
    {
        MethodDefinition method = entry.Method;
        var parameters = new List<Parameter>();
        var declarations = new List<string>(Declared(method.CustomAttributes));
        foreach (ParameterDefinition parameter in method.Parameters)
        {
            string type = CType.From(parameter.ParameterType, parameter.CustomAttributes)
                ?? throw new InvalidOperationException($"{entry}: parameter {parameter.Name} was not checked");
            parameters.Add(new Parameter(type, parameter.Name.Length > 0 ? parameter.Name : $"arg{parameter.Index}"));
            declarations.AddRange(Declared(parameter.CustomAttributes));
        }

        string result = CType.From(method.ReturnType, method.MethodReturnType.CustomAttributes)
            ?? throw new InvalidOperationException($"{entry}: the return type was not checked");
        return new ExportedFunction(entry.Name, method.DeclaringType.FullName.Replace('/', '+'), method.Name, result,
                                    parameters, declarations, CType.IsSigned(method.ReturnType));
    }

    private static IEnumerable<string> Declared(IEnumerable<CustomAttribute> attributes)
        => attributes.Where(attribute => attribute.AttributeType.FullName == DeclarationCode)
                     .Select(attribute => (string)attribute.ConstructorArguments[0].Value);
}

/// <summary>A parameter in C.</summary>
internal readonly record struct Parameter(string Type, string Name);
