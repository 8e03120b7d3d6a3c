using Dormouse.Launcher.Restart;
using NUnit.Framework;

namespace Dormouse.ImageTests;

public sealed class RestartOptionsTests
{
    [Test]
    public void OptionsOfDmtcp_AreUnderstood()
    {
        RestartOptions options = RestartOptions.Parse(
            ["-h", "node1", "-p", "7000", "-j", "-i", "60", "--ckptdir=/next", "--restartdir", "/images", "-q", "a.img", "--", "-b.img"]);

        Assert.Multiple(() =>
        {
            Assert.That(options.CoordinatorHost, Is.EqualTo("node1"));
            Assert.That(options.CoordinatorPort, Is.EqualTo(7000));
            Assert.That(options.Coordinator, Is.EqualTo(CoordinatorChoice.Join));
            Assert.That(options.Interval, Is.EqualTo(TimeSpan.FromMinutes(1)));
            Assert.That(options.CheckpointDirectory, Is.EqualTo("/next"));
            Assert.That(options.Quiet);
            Assert.That(options.Images, Is.EqualTo(new[] { "/images", "a.img", "-b.img" }));
        });
    }

    [TestCase("-p", "70000", "a.img")]
    [TestCase("--nonsense", "a.img")]
    [TestCase("-q")]
    [TestCase("a.img", "-h")]
    [TestCase("--check=yes", "a.img")]
    public void WrongCommandLines_AreRefused(params string[] arguments)
        => Assert.That(() => RestartOptions.Parse(arguments), Throws.TypeOf<UsageException>());
}
