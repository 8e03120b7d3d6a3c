using Dormouse.Generator;
using Dormouse.Generator.Output;

namespace Dormouse.GeneratorTests;

[TestFixture]
internal sealed class OutputTests
{
    private const string AssemblyName = "Dormouse.GeneratorTests.Samples";

    private IReadOnlyList<ExportedFunction> _functions = null!;

    [SetUp]
    public void ReadSamples()
    {
        using var samples = new SampleAssembly();
        _functions = [.. samples.EntriesOf("Good").Where(entry => entry.IsExported).Select(ExportedFunction.From)];
    }

    /// <summary>The text is a contract with DNNE: whoever changes it must be able to say that dnne-gen writes the same.</summary>
    [Test]
    public void Source_HasTheFormOfDnneGen()
    {
        string text = DnneSource.Write(AssemblyName, _functions);

        Assert.That(text, Is.EqualTo(Expected("Good.g.c.txt")));
    }

    [Test]
    public void Gates_KeepTheSignature()
    {
        string text = GateSource.Write(AssemblyName, _functions);

        Assert.That(text, Does.Contain("static ssize_t gate_readlink(const char* path, char* buffer, uintptr_t bytes)"));
        Assert.That(text, Does.Contain("const uint32_t dm_gate_count = 5;"));
        Assert.That(text, Does.Contain("\"Dormouse.GeneratorTests.Samples.Good+Nested, Dormouse.GeneratorTests.Samples\", \"GetGroup\", \"getpgrp\""));
    }

    [Test]
    public void OnlyPublicEntryPoints_AreExportedAndRenamed()
    {
        string map = ExportMap.Write(_functions, ["execve"]);
        string renames = Renames.Write(_functions);

        Assert.That(map, Does.Contain("        getppid;\n").And.Contain("        execve;\n").And.Not.Contains("dm_managed_good"));
        Assert.That(renames, Does.Contain("getppid dm_managed_getppid\n").And.Not.Contains("dm_managed_good"));
    }

    [Test]
    public void RecordTexts_AreThoseThatTheCompilerMade()
    {
        using var samples = new SampleAssembly();

        string text = RecordTexts.Write([samples.Module]);

        Assert.That(text, Does.Contain("<type fullname=\"Dormouse.GeneratorTests.Samples.Records/Silent\">")
            .And.Contain("<type fullname=\"Dormouse.GeneratorTests.Samples.Records/Small\">")
            .And.Not.Contains("Records/Speaking"));
    }

    /// <summary>What is written compiles as C11, without a warning, against the real headers of native-shim.</summary>
    [Test]
    public void Output_Compiles([Values("Good.g.c", "dm_gates.g.c")] string file)
    {
        string folder = Directory.CreateTempSubdirectory("dm-gen-").FullName;
        string text = file == "Good.g.c" ? DnneSource.Write(AssemblyName, _functions) : GateSource.Write(AssemblyName, _functions);
        File.WriteAllText(Path.Combine(folder, file), text);
        string include = Path.Combine(Repository.Root, "native-shim", "include");

        Compiler.Result result = Compiler.Run(folder, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-DDNNE_COMPILE_AS_SOURCE",
                                              "-I" + include, "-I" + Path.Combine(include, "dnne"), "-c", file, "-o", "out.o");

        Assert.That(result.ExitCode, Is.Zero, result.Output);
        Directory.Delete(folder, true);
    }

    [Test]
    public void BadAssembly_FailsTheBuildAndWritesNothing()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

        int status = Program.Run(SampleAssembly.Path, folder, [framework], [], [], withSource: true);

        Assert.That(status, Is.EqualTo(1));
        Assert.That(Directory.Exists(folder), Is.False);
    }

    private static string Expected(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Expected", name));
}
