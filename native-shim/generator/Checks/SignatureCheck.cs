// World: Ordinary.

using Mono.Cecil;

namespace Dormouse.Generator.Checks;

/// <summary>Entry points are static, not generic, and blittable.</summary>
internal static class SignatureCheck
{
    /// <summary>A gate can ask for the real function with this many arguments; more would lie on the stack.</summary>
    private const int MostParameters = 6;

    public static IEnumerable<Finding> Run(IEnumerable<EntryPoint> entries) => entries.SelectMany(Check);

    private static IEnumerable<Finding> Check(EntryPoint entry)
    {
        MethodDefinition method = entry.Method;
        if (!method.IsStatic || method.HasGenericParameters || method.DeclaringType.HasGenericParameters)
            yield return new Finding(Rule.NotCallable, $"{entry} must be static and not generic");
        if (entry.Name.Length == 0)
            yield return new Finding(Rule.NotCallable, $"{entry} has no EntryPoint: give the name that C knows it by");
        if (method.Parameters.Count > MostParameters)
            yield return new Finding(Rule.NotCallable, $"{entry} has more than {MostParameters} parameters: pass a pointer to a struct");

        foreach (ParameterDefinition parameter in method.Parameters)
        {
            if (!CType.FitsRegister(parameter.ParameterType))
                yield return NotBlittable(entry, $"parameter {parameter.Name} is a {parameter.ParameterType.FullName}");
            else if (entry.ReplacesLibc && CType.From(parameter.ParameterType, parameter.CustomAttributes) is null)
                yield return NotBlittable(entry, $"parameter {parameter.Name} is a {parameter.ParameterType.FullName}, which needs a [C99Type]");
        }

        bool returnsNothing = method.ReturnType.MetadataType == MetadataType.Void;
        if (!returnsNothing && !CType.FitsRegister(method.ReturnType))
            yield return NotBlittable(entry, $"the result is a {method.ReturnType.FullName}");
        else if (entry.ReplacesLibc && CType.From(method.ReturnType, method.MethodReturnType.CustomAttributes) is null)
            yield return NotBlittable(entry, $"the result is a {method.ReturnType.FullName}, which needs a [return: C99Type]");
    }

    private static Finding NotBlittable(EntryPoint entry, string what)
        => new(Rule.NotBlittable, $"{entry}: {what}; only integers, enums and pointers cross from C to C#");
}
