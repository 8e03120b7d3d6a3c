using Dormouse.Generator;
using Dormouse.Generator.Checks;

namespace Dormouse.GeneratorTests;

/// <summary>Each check is shown failing: the sample breaks that rule and no other.</summary>
[TestFixture]
internal sealed class CheckTests
{
    private SampleAssembly _samples = null!;

    [SetUp]
    public void ReadSamples() => _samples = new SampleAssembly();

    [TearDown]
    public void CloseSamples() => _samples.Dispose();

    [Test]
    public void GoodEntryPoints_HaveNoFindings()
    {
        IReadOnlyList<EntryPoint> entries = _samples.EntriesOf("Good");

        IReadOnlyList<Finding> findings = AllChecks.Run(entries, []);

        Assert.That(entries, Has.Count.EqualTo(6));
        Assert.That(findings, Is.Empty);
    }

    [TestCase("TakesBool", Rule.NotBlittable, "parameter value is a System.Boolean")]
    [TestCase("TakesStruct", Rule.NotBlittable, "parameter pair is a")]
    [TestCase("ReturnsDouble", Rule.NotBlittable, "the result is a System.Double")]
    [TestCase("NeedsC99Type", Rule.NotBlittable, "needs a [C99Type]")]
    [TestCase("HasNoName", Rule.NotCallable, "has no EntryPoint")]
    [TestCase("HasTooManyParameters", Rule.NotCallable, "more than 6 parameters")]
    [TestCase("SameNameTwice", Rule.NotUnique, "have the same name")]
    [TestCase("Overloaded", Rule.NotUnique, "are overloads")]
    [TestCase("UnknownToLibc", Rule.NoCounterpart, "libc has no dormouse_wakes")]
    [TestCase("NotExported", Rule.NoCounterpart, "is not public")]
    [TestCase("StartsThread", Rule.UsesThreads, "System.Threading.Thread")]
    [TestCase("StartsTask", Rule.UsesThreads, "StartsTask.Deeper, reached from StartsTask.Run")]
    [TestCase("IsAsync", Rule.UsesThreads, "AsyncValueTaskMethodBuilder")]
    [TestCase("StartsTimer", Rule.UsesThreads, "System.Threading.Timer")]
    [TestCase("UsesPoolBehindInterface", Rule.UsesThreads, "System.Threading.ThreadPool")]
    [TestCase("PrintsInStaticConstructor", Rule.UsesProgramResources, "System.Console.WriteLine")]
    [TestCase("ReadsFile", Rule.UsesProgramResources, "System.IO.File.ReadAllBytes")]
    [TestCase("AsksForType", Rule.AsksForType, "System.Object.GetType")]
    [TestCase("ReadsEnvironment", Rule.UsesProgramResources, "GetEnvironmentVariable")]
    [TestCase("HasFinalizer", Rule.HasFinalizer, "HasFinalizer/Owner is made by HasFinalizer.Run")]
    [TestCase("OpensHandle", Rule.HasFinalizer, "SafeFileHandle is made by")]
    [TestCase("PrintsEnum", Rule.PrintsNoText, "System.DayOfWeek is printed by PrintsEnum.Run")]
    [TestCase("PrintsRecord", Rule.PrintsNoText, "Records/Small is printed by PrintsRecord.Run")]
    public void BadEntryPoint_BreaksItsRuleOnly(string sample, Rule rule, string text)
    {
        IReadOnlyList<EntryPoint> entries = _samples.EntriesOf(sample);

        IReadOnlyList<Finding> findings = AllChecks.Run(entries, []);

        Assert.That(entries, Is.Not.Empty);
        Assert.That(findings.Select(finding => finding.Rule).Distinct(), Is.EqualTo(new[] { rule }), string.Join('\n', findings));
        Assert.That(findings.Select(finding => finding.Text), Has.Some.Contains(text));
    }

    [Test]
    public void EveryRule_IsShownFailing()
    {
        IEnumerable<Rule> shown = typeof(CheckTests).GetMethod(nameof(BadEntryPoint_BreaksItsRuleOnly))!
            .GetCustomAttributes(typeof(TestCaseAttribute), false).Cast<TestCaseAttribute>().Select(test => (Rule)test.Arguments[1]!);

        Assert.That(shown.Distinct(), Is.EquivalentTo(Enum.GetValues<Rule>()));
    }
}
