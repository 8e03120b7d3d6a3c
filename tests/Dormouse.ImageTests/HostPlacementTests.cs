using Dormouse.Launcher.Restart.Hosts;
using NUnit.Framework;

namespace Dormouse.ImageTests;

/// <summary>Where each original host's processes go.</summary>
internal sealed class HostPlacementTests
{
    private static readonly Dictionary<string, string> s_noMap = [];

    /// <param name="images">Each: member, id of the PID namespace, host where it slept, host where it began.</param>
    [TestCase("c,d", "1 A a a|2 B b b", "c 1|d 2", Description = "others")]
    [TestCase("b,a", "1 A a a|2 B b b", "b 2|a 1", Description = "who is among the targets keeps its place")]
    [TestCase("b,c", "1 A a a|2 B b b|3 A a a", "b 2|c 1 3", Description = "the others go where the fewest are")]
    [TestCase("c", "1 A a a|2 B b b", "c 1 2", Description = "two become one")]
    [TestCase("c,d", "1 A c a|2 B c b", "c 1|d 2", Description = "both slept on one: they are spread again")]
    [TestCase("d,c", "1 A c a|2 B c b", "d 1|c 2")]
    [TestCase("b,a", "1 A c a|2 B c b", "b 2|a 1", Description = "and go home where that is given")]
    [TestCase("c,d", "1 A c c|2 B c b", "c 1|d 2", Description = "one of them was there from the beginning")]
    [TestCase("d,c", "1 A c b|2 B c c", "d 1|c 2")]
    [TestCase("c,d", "1 A c c|2 B c c", "c 1|d 2", Description = "hosts of one name")]
    [TestCase("c,d", "1 A c|2 B c", "c 1|d 2", Description = "nobody knows where they began")]
    [TestCase("c,d", "1 A c a|2 A c b", "c 1 2|d", Description = "without a pod they share their numbers: they stay together")]
    public void EachOriginalHost_HasItsPlace(string targets, string images, string places)
        => Assert.That(Place(targets, images, s_noMap), Is.EqualTo(places));

    [Test]
    public void AMap_NamesHostsThatHaveBecomeOne_AsWhereTheyBegan()
    {
        Dictionary<string, string> map = new() { ["b"] = "c", ["a"] = "d" };

        Assert.That(Place("c,d", "1 A c a|2 B c b", map), Is.EqualTo("c 2|d 1"));
        Assert.That(() => Place("c,d", "1 A c a|2 B c b", new() { ["c"] = "d" }), Throws.Exception.With.Message.EqualTo("--host-map names c, but the computation ran on a, b."));
    }

    private static string Place(string targets, string images, Dictionary<string, string> map)
    {
        CatalogImage[] all = [.. images.Split('|').Select(Image)];
        HostShare[] catalogs = [.. targets.Split(',').Select(target => new HostShare(target, all))];
        return string.Join('|', HostPlacement.Assign(all, catalogs, map).Select(share => string.Join(' ', share.Images.Select(image => image.Member.ToString()).Prepend(share.Target))));
    }

    private static CatalogImage Image(string text)
    {
        string[] words = text.Split(' ');
        return new CatalogImage(1, 1, uint.Parse(words[0]), 3, words[1], words[2], words.Length > 3 ? words[3] : "", 100, "p", $"/{words[0]}.img", IsGiven: true);
    }
}
