using System.Reflection;
using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

public sealed class ManifestTests
{
    internal static ImageManifest Full() => new()
    {
        Computation = 0x1122334455667788,
        Generation = 3,
        ImageCount = 4,
        Member = 2,
        HostName = "höst",
        FirstHostName = "först",
        HostId = "boot-4026531836",
        KernelRelease = "6.1.0",
        RealtimeNanoseconds = 1_700_000_000_123_456_789,
        MonotonicNanoseconds = 5,
        BootTimeNanoseconds = 6,
        Pid = 100,
        ParentPid = 99,
        ProcessGroup = 100,
        Session = 90,
        Threads = [100, 101, 102],
        Program = "python3",
        ExePath = "/usr/bin/python3",
        CommandLine = ["python3", "", "a b"],
        WorkingDirectory = "/tmp",
        RootDirectory = "/srv",
        Umask = 0x12,
        Uid = 1000,
        Gid = 1001,
        Groups = [4, 24, uint.MaxValue],
        CpuFeatures = [1, 2, 3],
        Nice = -5,
        IsChildSubreaper = true,
        ControllingTerminal = 0x8801,
        TerminalForegroundGroup = 100,
        Zombies = [new ZombieChild(200, 256, 200, 90)],
        Descriptors = [new DescriptorNote(0, "file", "/dev/null"), new DescriptorNote(7, "pipe", "")],
        NeededFiles = [new NeededFile("/data/in", 12, 34, "open")],
        Losses = ["inotify events"],
        LaunchStdio = "1:2,-,3:4",
        VdsoFingerprint = 9,
    };

    [Test]
    public void EveryField_SurvivesRoundTrip()
    {
        ImageManifest manifest = Full();

        ImageManifest copy = ImageManifest.Read(manifest.Write());

        foreach (PropertyInfo property in typeof(ImageManifest).GetProperties())
        {
            Assert.That(property.GetValue(copy), Is.EqualTo(property.GetValue(manifest)), property.Name);
            Assert.That(property.GetValue(copy), Is.Not.EqualTo(property.GetValue(new ImageManifest())), $"{property.Name} was not set by the test");
        }
    }

    [Test]
    public void UnknownField_IsSkipped()
    {
        byte[] known = Full().Write();
        byte[] bytes = [.. known[..4], 0xEE, 0xEE, 3, 0, 0, 0, 1, 2, 3, .. known[4..]];

        Assert.That(ImageManifest.Read(bytes).Program, Is.EqualTo("python3"));
    }

    [Test]
    public void EveryTruncation_IsAnErrorOrAShorterManifest()
    {
        byte[] bytes = Full().Write();

        for (int length = 0; length < bytes.Length; length++)
        {
            try
            {
                _ = ImageManifest.Read(bytes.AsSpan(0, length));
            }
            catch (ImageFormatException)
            {
                continue;
            }
        }
    }

    [Test]
    public void EveryFlippedBit_IsAnErrorOrAnotherManifest()
    {
        byte[] bytes = Full().Write();

        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                _ = ImageManifest.Read(bytes);
            }
            catch (ImageFormatException)
            {
                continue;
            }
            finally
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Test]
    public void OtherFormat_IsRefused()
    {
        byte[] bytes = Full().Write();
        bytes[0]++;

        Assert.That(() => ImageManifest.Read(bytes), Throws.TypeOf<ImageFormatException>());
    }

    [Test]
    public void BytesThatAreNotUtf8_SurviveAsText()
    {
        byte[] path = [(byte)'/', 0xFF, (byte)'a', 0xC3, 0xA9, 0xC3, 0x80, 0xED, 0xA0, 0x80];

        Assert.That(KernelText.ToBytes(KernelText.FromBytes(path)), Is.EqualTo(path));
    }
}
