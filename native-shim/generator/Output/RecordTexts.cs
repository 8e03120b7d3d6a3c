// World: Ordinary.

using System.Runtime.CompilerServices;
using System.Text;
using Mono.Cecil;

namespace Dormouse.Generator.Output;

/// <summary>
/// Writes <c>records.xml</c>, substitutions for the compiler that works ahead of time: the C# compiler gives each record a text, which nobody
/// in a process asks for, and which a virtual call could reach. Called after all, it throws.
/// </summary>
/// <remarks>Format: docs/tools/illink/data-formats.md of dotnet/runtime.</remarks>
internal static class RecordTexts
{
    public static string Write(IEnumerable<ModuleDefinition> modules)
    {
        var text = new StringBuilder("<linker>\n");
        foreach (ModuleDefinition module in modules)
        {
            text.Append($"  <assembly fullname=\"{module.Assembly.Name.Name}\">\n");
            foreach (TypeDefinition type in module.GetTypes().Where(HasTextOfCompiler))
                text.Append($"    <type fullname=\"{type.FullName}\"><method signature=\"System.String ToString()\" body=\"remove\" /></type>\n");
            text.Append("  </assembly>\n");
        }

        return text.Append("</linker>\n").ToString();
    }

    public static bool HasTextOfCompiler(TypeDefinition type)
        => !type.HasGenericParameters && type.Methods.Any(method => method.Name == nameof(ToString) && method.IsVirtual && !method.HasParameters
            && method.CustomAttributes.Any(attribute => attribute.AttributeType.FullName == typeof(CompilerGeneratedAttribute).FullName));
}
