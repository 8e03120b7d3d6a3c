// World: Ordinary.

using System.Text;

namespace Dormouse.Generator.Output;

/// <summary>Writes <c>dm_gates.g.c</c>: the gate before each exported function, and the table in which they are found.</summary>
/// <remarks>
/// A gate has the signature of its function. It decides whether C# is asked at all, crosses over to the guest, and calls
/// the real function of libc afterwards when C# has asked for it. See native-shim/include/dm_gate.h.
/// </remarks>
internal static class GateSource
{
    public static string Write(string assembly, IReadOnlyList<ExportedFunction> functions)
    {
        var text = new StringBuilder();
        text.Append($"""
            /* Written by dm-gen from {assembly}. World: Guest. */
            #include <errno.h>
            #include <stddef.h>
            #include <stdint.h>

            #include "dm_gate.h"


            """);
        foreach (string declaration in functions.SelectMany(function => function.Declarations).Distinct())
            text.Append(declaration).Append('\n');

        for (int i = 0; i < functions.Count; i++)
            WriteGate(text, functions[i], i);

        text.Append($"void *dm_gate_reals[{Math.Max(functions.Count, 1)}];\n");
        text.Append($"const uint32_t dm_gate_count = {functions.Count};\n");
        text.Append($"const struct dm_gate_entry dm_gates[{Math.Max(functions.Count, 1)}] = {{\n");
        foreach (ExportedFunction function in functions)
            text.Append($"    {{ \"{function.TypeName}, {assembly}\", \"{function.MethodName}\", \"{function.Name}\", (void *)gate_{function.Name} }},\n");
        if (functions.Count == 0)
            text.Append("    { NULL, NULL, NULL, NULL },\n");
        text.Append("};\n");
        return text.ToString();
    }

    private static void WriteGate(StringBuilder text, ExportedFunction function, int index)
    {
        string name = function.Name;
        string result = function.ReturnsValue ? "call->result = " : "";
        string real = $"(({function.ReturnType} (*)({function.ParameterList}))dm_gate_real({index}))";
        string forwarded = string.Join(", ", function.Parameters.Select((parameter, i) => $"({parameter.Type})call.gate.forward[{i}]"));

        text.Append($"/* --- {name} --- */\n\n");
        text.Append($"extern {function.ReturnType} {function.ManagedName}({function.ParameterList}) __attribute__((visibility(\"hidden\")));\n\n");

        text.Append($"struct call_{name} {{\n    struct dm_gate gate;\n");
        foreach (Parameter parameter in function.Parameters)
            text.Append($"    {parameter.Type} {parameter.Name};\n");
        if (function.ReturnsValue)
            text.Append($"    {function.ReturnType} result;\n");
        text.Append("};\n\n");

        text.Append($"static void enter_{name}(void *argument)\n{{\n    struct call_{name} *call = argument;\n    errno = call->gate.error;\n");
        text.Append($"    {result}{function.ManagedName}({string.Join(", ", function.Parameters.Select(parameter => "call->" + parameter.Name))});\n");
        text.Append("    call->gate.error = errno;\n}\n\n");

        text.Append($"static {function.ReturnType} gate_{name}({function.ParameterList})\n{{\n");
        text.Append("    if (!dm_gate_is_open()) {\n");
        text.Append(function.ReturnsValue
            ? $"        return {real}({function.ArgumentList});\n    }}\n"
            : $"        {real}({function.ArgumentList});\n        return;\n    }}\n");
        text.Append($"    struct call_{name} call = {{ .gate = {{ .error = errno }}");
        foreach (Parameter parameter in function.Parameters)
            text.Append($", .{parameter.Name} = {parameter.Name}");
        text.Append(" };\n");
        text.Append($"    dm_gate_cross(&call.gate, enter_{name}, &call);\n");
        text.Append("    if (call.gate.wants_real) {\n");
        text.Append($"        {(function.ReturnsValue ? "call.result = " : "")}{real}({forwarded});\n");
        text.Append("        dm_gate_release(&call.gate);\n");
        text.Append(function.ReturnsValue ? "        return call.result;\n    }\n" : "        return;\n    }\n");
        // Only a failure may change errno, and functions of libc that set it say so by a negative result.
        if (function.CanFail)
            text.Append("    if (call.result < 0)\n        errno = call.gate.error;\n");
        if (function.ReturnsValue)
            text.Append("    return call.result;\n");
        text.Append("}\n\n");
    }
}
