// World: Ordinary. dm-gen: from the IL of Dormouse.Runtime.dll to the C side of its exports.

using Dormouse.Generator.Checks;
using Dormouse.Generator.Output;
using Mono.Cecil;

namespace Dormouse.Generator;

internal static class Program
{
    private const string Usage = """
        usage: dm-gen ASSEMBLY -o FOLDER [--reference FOLDER]... [--also FILE] [--with ASSEMBLY]... [--without-source]

        Checks the exported functions of ASSEMBLY and all code that they reach, then writes into FOLDER
          NAME.g.c            the exported C functions, in the form of dnne-gen (not with --without-source)
          dm_gates.g.c        the gate before each of them
          exports.map         version script of the library
          exports.renames     new names of the entry points in the C# object, for objcopy --redefine-syms
          records.xml         substitutions: no record of these assemblies has a text
        FILE lists the functions that C exports, one name a line, comments after #: they are in exports.map, too.
        A finding is printed as an error of the compiler is, nothing is written, and the exit status is 1.
        """;

    internal static int Main(string[] arguments)
    {
        string? assembly = null;
        string? folder = null;
        var references = new List<string>();
        string[] also = [];
        var others = new List<string>();
        bool withSource = true;
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            bool hasValue = i + 1 < arguments.Length;
            switch (argument)
            {
                case "-o" when hasValue:
                    folder = arguments[++i];
                    break;
                case "--reference" when hasValue:
                    references.Add(arguments[++i]);
                    break;
                case "--also" when hasValue:
                    also = NamesIn(arguments[++i]);
                    break;
                case "--with" when hasValue:
                    others.Add(arguments[++i]);
                    break;
                case "--without-source":
                    withSource = false;
                    break;
                case var path when !path.StartsWith('-') && assembly is null:
                    assembly = path;
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }

        if (assembly is null || folder is null)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        return Run(assembly, folder, references, also, others, withSource);
    }

    private static string[] NamesIn(string list)
        => [.. File.ReadLines(list).Select(line => line.Split('#')[0].Trim()).Where(name => name.Length > 0)];

    internal static int Run(string assembly, string folder, IReadOnlyList<string> references, IReadOnlyList<string> also, IReadOnlyList<string> others, bool withSource)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(Path.GetFullPath(assembly)));
        foreach (string reference in references)
            resolver.AddSearchDirectory(reference);
        using ModuleDefinition module = ModuleDefinition.ReadModule(assembly, new ReaderParameters { AssemblyResolver = resolver });

        IReadOnlyList<EntryPoint> entries = EntryPoint.ReadAll(module);
        IReadOnlyList<Finding> findings = AllChecks.Run(entries, also);
        foreach (Finding finding in findings)
            Console.Error.WriteLine($"{assembly}: error {finding}");
        if (findings.Count > 0)
            return 1;

        IReadOnlyList<ExportedFunction> functions = [.. entries.Where(entry => entry.IsExported).Select(ExportedFunction.From)];
        string name = module.Assembly.Name.Name;
        if (withSource)
            OutputFile.Write(Path.Combine(folder, name + ".g.c"), DnneSource.Write(name, functions));
        OutputFile.Write(Path.Combine(folder, "dm_gates.g.c"), GateSource.Write(name, functions));
        OutputFile.Write(Path.Combine(folder, "exports.map"), ExportMap.Write(functions, also));
        OutputFile.Write(Path.Combine(folder, "exports.renames"), Renames.Write(functions));
        List<ModuleDefinition> compiledWith = [.. others.Select(ModuleDefinition.ReadModule)];
        OutputFile.Write(Path.Combine(folder, "records.xml"), RecordTexts.Write([module, .. compiledWith]));
        compiledWith.ForEach(other => other.Dispose());
        return 0;
    }
}
