using Dormouse.Generator;
using Mono.Cecil;

namespace Dormouse.GeneratorTests;

/// <summary>The compiled samples, as the generator reads them.</summary>
internal sealed class SampleAssembly : IDisposable
{
    private readonly DefaultAssemblyResolver _resolver = new();

    public SampleAssembly()
    {
        _resolver.AddSearchDirectory(System.IO.Path.GetDirectoryName(Path));
        _resolver.AddSearchDirectory(System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location));
        Module = ModuleDefinition.ReadModule(Path, new ReaderParameters { AssemblyResolver = _resolver });
    }

    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Dormouse.GeneratorTests.Samples.dll");

    public ModuleDefinition Module { get; }

    /// <summary>The entry points of one sample class, and of the classes nested in it.</summary>
    public IReadOnlyList<EntryPoint> EntriesOf(string name)
        => EntryPoint.ReadAll(Module, type => type.Name == name || type.DeclaringType?.Name == name);

    public void Dispose()
    {
        Module.Dispose();
        _resolver.Dispose();
    }
}
