using Dormouse.Launcher.Restart;
using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

/// <summary>The native restorer on images of a guest program that says what it finds.</summary>
[TestFixture(null)]
[TestFixture(1000)]
public sealed class RestorerTests(int? user)
{
    [SetUp]
    public void NeedRestorer()
    {
        if (!File.Exists(Repository.Restorer)) Assert.Ignore("Build the restorer first: ./run build.");
        if (user is not null && Environment.UserName != "root") Assert.Ignore("Only root can become another user.");
    }

    [Test]
    public void OneProcess_HasItsNumbersMemoryAndClock()
    {
        using Woken woken = Woken.Run(PodChoice.Always, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 4242, ParentPid = 4000, ProcessGroup = 4242, Session = 4000, MonotonicNanoseconds = 5_000_000_000_000 },
            ExitStatus = 7 << 8,
        });

        Assert.That(woken.ExitCode, Is.EqualTo(7), woken.Transcript);
        Dictionary<string, List<long>> facts = woken.Members[4242];
        Assert.Multiple(() =>
        {
            Assert.That(facts["ppid"][0], Is.EqualTo(4000));
            Assert.That(facts["pgid"][0], Is.EqualTo(4242));
            Assert.That(facts["sid"][0], Is.EqualTo(4000));
            Assert.That(facts["uid"][0], Is.EqualTo(user ?? 0));
            Assert.That(facts["gid"][0], Is.EqualTo(user ?? 0));
            Assert.That(facts["bad"][0], Is.Zero);
            Assert.That(facts["brk"][0], Is.EqualTo(0x11021000));
            Assert.That(facts["mask"][0], Is.EqualTo(1));
            Assert.That(facts["monotonic"][0], Is.InRange(5000, 5010));
            Assert.That(facts["descriptors"][0], Is.EqualTo(4));
        });
    }

    [Test]
    public void Threads_HaveTheirNumbers()
    {
        using Woken woken = Woken.Run(PodChoice.Always, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 500, ParentPid = 1, ProcessGroup = 500, Session = 500, Threads = [500, 777, 501, 30000] },
        });

        Assert.That(woken.ExitCode, Is.Zero, woken.Transcript);
        Assert.That(woken.Members[500]["thread"], Is.EqualTo(new long[] { 777, 501, 30000 }));
    }

    [Test]
    public void ProgramEndedBySignal_EndsRestorerBySignal()
    {
        using Woken woken = Woken.Run(PodChoice.Always, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 500, ParentPid = 1, ProcessGroup = 500, Session = 500 },
            ExitStatus = 15,
        });

        Assert.That(woken.ExitCode, Is.EqualTo(128 + 15), woken.Transcript);
    }

    [Test]
    public void Tree_OfSessionsGroupsOrphansAndZombies_ComesBack()
    {
        ImageManifest Process(uint member, int pid, int ppid, int pgid, int sid) => new()
        {
            Member = member,
            Pid = pid,
            ParentPid = ppid,
            ProcessGroup = pgid,
            Session = sid,
        };
        ImageManifest shell = Process(1, 100, 50, 100, 50);
        shell.Zombies = [new ZombieChild(150, 3 << 8, 150, 50), new ZombieChild(151, 9, 100, 50)];
        ImageManifest[] all =
        [
            shell,
            Process(2, 110, 100, 110, 50),   // a job of the shell
            Process(3, 111, 100, 110, 50),   // the second in the pipeline
            Process(4, 120, 100, 120, 120),  // a session of its own
            Process(5, 121, 120, 100, 50),   // its child, born before the session
            Process(6, 130, 1, 129, 129),    // a daemon whose leader is gone
            Process(7, 131, 1, 120, 120),    // an orphan of session 120
            Process(8, 140, 130, 139, 129),  // in a group whose leader is gone
        ];

        using Woken woken = Woken.Run(PodChoice.Always, user, [.. all.Select(manifest => new ImageBuilder { Manifest = manifest })]);

        Assert.That(woken.Members, Has.Count.EqualTo(8), woken.Transcript);
        Assert.Multiple(() =>
        {
            foreach (ImageManifest manifest in all)
            {
                Dictionary<string, List<long>> facts = woken.Members[manifest.Pid];
                Assert.That(facts["ppid"][0], Is.EqualTo(manifest.ParentPid), $"parent of {manifest.Pid}");
                Assert.That(facts["pgid"][0], Is.EqualTo(manifest.ProcessGroup), $"group of {manifest.Pid}");
                Assert.That(facts["sid"][0], Is.EqualTo(manifest.Session), $"session of {manifest.Pid}");
            }

            Assert.That(woken.Children, Does.Contain((100L, 150L, 3L << 8)), woken.Transcript);
            Assert.That(woken.Children, Does.Contain((100L, 151L, 9L)), woken.Transcript);
        });
    }

    [Test]
    public void LargeMemory_ReadByHelpers_IsWhole()
    {
        using Woken woken = Woken.Run(PodChoice.Always, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 500, ParentPid = 1, ProcessGroup = 500, Session = 500, Threads = [500, 600] },
            PatternBytes = 200 << 20,
        });

        Assert.That(woken.ExitCode, Is.Zero, woken.Transcript);
        Assert.That(woken.Members[500]["bad"][0], Is.Zero);
    }

    [Test]
    public void ScatteredMemory_AndMappedFile_AreTaken()
    {
        using Woken woken = Woken.Run(PodChoice.Always, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 500, ParentPid = 1, ProcessGroup = 500, Session = 500 },
            PatternBytes = 4096 * 1001,
            Scattered = true,
            MappedFile = "/bin/true",
        });

        Assert.That(woken.ExitCode, Is.Zero, woken.Transcript);
    }

    [Test]
    public void WithoutPod_NumbersAreExact()
    {
        if (user is not null) Assert.Ignore("Only root may choose process ids without a pod.");
        using Woken woken = Woken.Run(PodChoice.Never, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 31003, ParentPid = 31001, ProcessGroup = 31002, Session = 31001, Threads = [31003, 31005] },
            ExitStatus = 5 << 8,
        });

        Assert.That(woken.ExitCode, Is.EqualTo(5), woken.Transcript);
        Dictionary<string, List<long>> facts = woken.Members[31003];
        Assert.That((facts["ppid"][0], facts["pgid"][0], facts["sid"][0], facts["thread"][0]), Is.EqualTo((31001L, 31002L, 31001L, 31005L)));
    }

    [Test]
    public void DamagedMemory_WakesNobody()
    {
        ImageBuilder good = new() { Manifest = new ImageManifest { Member = 1, Pid = 500, ParentPid = 1, ProcessGroup = 500, Session = 500 }, StaySeconds = 20 };
        ImageBuilder bad = new()
        {
            Manifest = new ImageManifest { Member = 2, Pid = 501, ParentPid = 500, ProcessGroup = 500, Session = 500 },
            DamagesMemory = true,
        };

        using Woken woken = Woken.Run(PodChoice.Always, user, good, bad);

        Assert.That(woken.ExitCode, Is.EqualTo(125), woken.Transcript);
        Assert.That(woken.Transcript, Does.Contain("guest (pid 501)").And.Contain("checksums"));
    }

    [Test]
    public void ProcessesOfTwoHosts_WithTheSameNumbers_GetAPodEach()
    {
        ImageBuilder On(string host, uint member, int status) => new()
        {
            Manifest = new ImageManifest { HostId = host, Member = member, Pid = 500, ParentPid = 499, ProcessGroup = 500, Session = 499 },
            ExitStatus = status << 8,
        };

        using Woken woken = Woken.Run(PodChoice.Always, user, On("b", 1, 4), On("a", 2, 5));

        Assert.That(woken.ExitCode, Is.EqualTo(4), woken.Transcript);
        Assert.That(woken.Transcript.Split("member pid=500 ppid=499"), Has.Length.EqualTo(3), woken.Transcript);
    }

    [Test]
    public void WithoutPod_TakenNumber_IsRefused()
    {
        if (user is not null) Assert.Ignore("Only root may choose process ids without a pod.");
        ImageBuilder builder = new() { Manifest = new ImageManifest { Member = 1, Pid = Environment.ProcessId, ParentPid = 1, ProcessGroup = 0, Session = 0 } };

        Assert.That(() => Woken.Run(PodChoice.Never, user, builder), Throws.TypeOf<RestartException>().With.Message.Contains("belongs to another process"));
    }

    [Test]
    public void InterruptKey_ReachesForegroundGroupOnly()
    {
        ImageBuilder At(uint member, int pid, int ppid, int group, int status) => new()
        {
            Manifest = new ImageManifest
            {
                Member = member,
                Pid = pid,
                ParentPid = ppid,
                ProcessGroup = group,
                Session = 400,
                ControllingTerminal = 0x8800,
                TerminalForegroundGroup = 510,
            },
            StaySeconds = member == 1 ? 0 : 2,
            ExitStatus = status << 8,
        };

        using Woken woken = Woken.RunAtTerminal(user, "\x03", At(1, 500, 400, 500, 6), At(2, 510, 500, 510, 0), At(3, 520, 500, 520, 0));

        Assert.That(woken.ExitCode, Is.EqualTo(6), woken.Transcript);
        Assert.That(woken.Children, Is.EquivalentTo(new[] { (500L, 510L, 2L), (500L, 520L, 0L) }), woken.Transcript);
    }

    [Test]
    public void Root_WakesProgramOfAnotherUser_AsThatUser()
    {
        if (user is not null || Environment.UserName != "root") Assert.Ignore("Only root can become another user.");
        using Woken woken = Woken.Run(PodChoice.Always, user, new ImageBuilder
        {
            Manifest = new ImageManifest { Member = 1, Pid = 500, ParentPid = 1, ProcessGroup = 500, Session = 500, Uid = 1234, Gid = 2345, Groups = [7, 8], Threads = [500, 501] },
        });

        Assert.That(woken.ExitCode, Is.Zero, woken.Transcript);
        Assert.That((woken.Members[500]["uid"][0], woken.Members[500]["gid"][0]), Is.EqualTo((1234L, 2345L)));
    }
}
