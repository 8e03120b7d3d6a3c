using Dormouse.Launcher.Restart;
using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

public sealed class GenerationTests
{
    private string _directory = "";
    private readonly List<string> _notes = [];

    [SetUp]
    public void MakeDirectory()
    {
        _directory = Directory.CreateTempSubdirectory("dormouse-generation-").FullName;
        _notes.Clear();
    }

    [TearDown]
    public void DeleteDirectory() => Directory.Delete(_directory, true);

    [Test]
    public void ImagesInAnyOrder_AreOneGeneration()
    {
        string second = Write("ckpt_b.img", 2, 1);
        string first = Write("ckpt_a.img", 1, 1);

        Assert.That(Choose(second, first).Paths, Is.EqualTo(new[] { first, second }));
    }

    [Test]
    public void TornTopLevel_FallsBackToArchivedGeneration()
    {
        Write("ckpt_a.img", 1, 2);
        string second = Write("ckpt_b.img", 2, 1);
        string first = Write("generation-1/ckpt_a.img", 1, 1);

        Generation chosen = Choose(_directory);

        Assert.That((chosen.Number, chosen.Paths), Is.EqualTo((1u, new[] { first, second })).Using<(uint, IReadOnlyList<string>)>((a, b) => a.Item1 == b.Item1 && a.Item2.SequenceEqual(b.Item2)));
        Assert.That(_notes, Has.Count.EqualTo(1));
    }

    [Test]
    public void ArchivedImagesGiven_FindTheirNeighboursOneLevelUp()
    {
        string first = Write("generation-1/ckpt_a.img", 1, 1);
        string second = Write("ckpt_b.img", 2, 1);

        Assert.That(Choose(first).Paths, Is.EqualTo(new[] { first, second }));
    }

    [Test]
    public void MissingImage_IsNamedByCount()
    {
        string first = Write("ckpt_a.img", 1, 1);

        Assert.That(() => Choose(first), Throws.TypeOf<RestartException>().With.Message.Contains("has 2 images and only 1"));
    }

    [Test]
    public void ImagesOfTwoComputations_AreRefused()
    {
        string first = Write("ckpt_a.img", 1, 1);
        string other = Write("ckpt_b.img", 1, 1, 77);

        Assert.That(() => Choose(first, other), Throws.TypeOf<RestartException>().With.Message.Contains("two computations"));
    }

    [Test]
    public void NoImageAtAll_IsRefused()
    {
        Assert.That(() => Choose(_directory), Throws.TypeOf<RestartException>());
        Assert.That(() => Choose(Path.Combine(_directory, "ckpt_none.img")), Throws.TypeOf<RestartException>());
    }

    private Generation Choose(params string[] arguments) => GenerationChooser.Choose(arguments, _notes.Add);

    private string Write(string name, uint member, uint generation, ulong computation = 5)
    {
        string path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var manifest = new ImageManifest { Computation = computation, Generation = generation, ImageCount = 2, Member = member, Pid = 10 + (int)member };
        File.WriteAllBytes(path, new ImageBuilder { Manifest = manifest }.Build());
        return path;
    }
}
