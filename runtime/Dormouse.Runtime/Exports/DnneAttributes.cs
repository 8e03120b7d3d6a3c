// World: Guest. The attributes by which an exported function says what its signature is called in C. They are DNNE's, and
// read by name, from the compiled assembly, by dm-gen or dnne-gen; see native-shim/generator.

using System;

namespace DNNE;

/// <summary>C code that a signature needs: a struct or a typedef, written once before all declarations.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Parameter, Inherited = false)]
internal sealed class C99DeclCodeAttribute(string code) : Attribute
{
    public string Code { get; } = code;
}

/// <summary>The C type of a parameter or result, with all its stars: <c>const char*</c>.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.ReturnValue, Inherited = false)]
internal sealed class C99TypeAttribute(string code) : Attribute
{
    public string Code { get; } = code;
}
