using Dormouse.Launcher.Restart;
using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

public sealed class ProcessTreeTests
{
    private static readonly TreePlace s_pod = new(true, false, _ => true, 0);

    private static ImageManifest Process(uint member, int pid, int ppid, int pgid, int sid) => new()
    {
        Member = member,
        Pid = pid,
        ParentPid = ppid,
        ProcessGroup = pgid,
        Session = sid,
        Program = $"program{pid}",
    };

    private static ProcessNode Node(ProcessTree tree, int pid) => tree.Nodes.Single(node => node.Pid == pid);

    [Test]
    public void OutsideParent_GetsStandin_ThatLeadsItsSession()
    {
        ProcessTree tree = ProcessTree.Build([Process(1, 100, 50, 100, 50)], s_pod);

        Assert.That(tree.Nodes.Select(node => (node.Pid, node.Kind)), Is.EqualTo(new[] { (50, NodeKind.Standin), (100, NodeKind.Member) }));
        Assert.That(Node(tree, 50).Flags, Is.EqualTo(NodeFlags.LeadsSession));
        Assert.That(Node(tree, 100).Flags,
            Is.EqualTo(NodeFlags.Root | NodeFlags.MakesGroup | NodeFlags.CheckParent | NodeFlags.CheckSession | NodeFlags.CheckGroup));
    }

    [Test]
    public void Session_WhoseLeaderIsGone_ComesFromTransient()
    {
        ProcessTree tree = ProcessTree.Build([Process(1, 100, 1, 70, 60)], s_pod);

        Assert.That(tree.Nodes.Select(node => (node.Pid, node.Kind)),
            Is.EqualTo(new[] { (60, NodeKind.Transient), (100, NodeKind.Member), (70, NodeKind.Transient) }));
        Assert.That(Node(tree, 100).Creator, Is.SameAs(Node(tree, 60)));
        Assert.That(Node(tree, 70).Creator, Is.SameAs(Node(tree, 100)));
        Assert.That(Node(tree, 100).Has(NodeFlags.JoinsGroup));
    }

    [Test]
    public void Orphan_OfLivingSession_ComesFromItsLeaderByIntermediate()
    {
        ProcessTree tree = ProcessTree.Build([Process(1, 100, 50, 100, 100), Process(2, 120, 1, 100, 100)], s_pod);

        Assert.That(Node(tree, 120).Creator, Is.SameAs(Node(tree, 100)));
        Assert.That(Node(tree, 120).Parent, Is.Null);
        Assert.That(Node(tree, 120).Has(NodeFlags.ViaIntermediate));
        Assert.That(tree.Roots.Select(root => root.Pid), Is.EqualTo(new[] { 100 }));
    }

    [Test]
    public void ChildBornBeforeItsParentsSession_IsMadeBefore()
    {
        ProcessTree tree = ProcessTree.Build(
            [Process(1, 100, 50, 100, 50), Process(2, 110, 100, 110, 110), Process(3, 120, 110, 100, 50)], s_pod);

        Assert.That(Node(tree, 120).Has(NodeFlags.BeforeSession));
        Assert.That(Node(tree, 120).Creator, Is.SameAs(Node(tree, 110)));
    }

    [Test]
    public void OrphanThatMadeASession_IsBornInTheSessionOfItsChild()
    {
        // A daemon: made a session after it had forked; its child is still in the shell's.
        ProcessTree tree = ProcessTree.Build(
            [Process(1, 100, 50, 100, 50), Process(2, 110, 1, 110, 110), Process(3, 120, 110, 100, 50)], s_pod);

        Assert.That(Node(tree, 110).Creator, Is.SameAs(Node(tree, 50)));
        Assert.That(Node(tree, 110).Has(NodeFlags.ViaIntermediate));
        Assert.That(Node(tree, 120).Has(NodeFlags.BeforeSession));
    }

    [Test]
    public void LeaderOfGroup_ThatMovedOn_MakesItFirst()
    {
        ProcessTree tree = ProcessTree.Build(
            [Process(1, 100, 50, 100, 50), Process(2, 110, 100, 100, 50), Process(3, 111, 100, 110, 50)], s_pod);

        Assert.That(Node(tree, 110).Has(NodeFlags.MakesGroup) && Node(tree, 110).Has(NodeFlags.MovesGroup));
        Assert.That(Node(tree, 111).Has(NodeFlags.JoinsGroup));
    }

    [Test]
    public void Subreaper_AdoptsOrphans()
    {
        ImageManifest reaper = Process(1, 100, 50, 100, 50);
        reaper.IsChildSubreaper = true;

        ProcessTree tree = ProcessTree.Build([reaper, Process(2, 120, 100, 110, 110)], s_pod);

        Assert.That(Node(tree, 110).Kind, Is.EqualTo(NodeKind.Transient));
        Assert.That(Node(tree, 110).Creator, Is.SameAs(Node(tree, 100)));
        Assert.That(Node(tree, 120).Creator, Is.SameAs(Node(tree, 110)));
    }

    [Test]
    public void CreatorsComeBeforeWhatTheyMake()
    {
        ProcessTree tree = ProcessTree.Build(
            [Process(9, 100, 50, 100, 50), Process(1, 300, 200, 200, 200), Process(2, 200, 100, 200, 200)], s_pod);

        for (int index = 0; index < tree.Nodes.Count; index++)
        {
            ProcessNode? creator = tree.Nodes[index].Creator;
            Assert.That(creator is null || tree.Nodes.IndexOf(creator) < index, $"creator of {tree.Nodes[index].Pid}");
        }
    }

    [TestCase("terminal", true)]
    [TestCase("pty", false)]
    public void Terminal_OfAProgramThatLeadsItsSession_IsDmrestarts_UnlessItIsTheProgramsOwn(string kind, bool isDmrestarts)
    {
        ImageManifest editor = Process(1, 100, 50, 100, 100);
        (editor.ControllingTerminal, editor.TerminalForegroundGroup, editor.Descriptors) = (0x8801, 100, [new DescriptorNote(0, kind, "/dev/pts/1")]);

        ProcessTree tree = ProcessTree.Build([editor], s_pod with { HasTerminal = true });

        Assert.That(tree.UsesTerminal, Is.EqualTo(isDmrestarts));
        Assert.That(tree.ForegroundGroup, Is.EqualTo(isDmrestarts ? 100 : 0));
        Assert.That(Node(tree, 100).Has(NodeFlags.LeadsSession), Is.EqualTo(!isDmrestarts));
    }

    [Test]
    public void Terminal_KeepsSessionOfDmrestart_AndPutsGroupIntoForeground()
    {
        ImageManifest shell = Process(1, 100, 50, 100, 50);
        ImageManifest job = Process(2, 110, 100, 110, 50);
        (shell.ControllingTerminal, shell.TerminalForegroundGroup) = (0x8801, 110);

        ProcessTree tree = ProcessTree.Build([shell, job], s_pod with { HasTerminal = true });

        Assert.That(tree.KeepsSession && tree.UsesTerminal);
        Assert.That(tree.ForegroundGroup, Is.EqualTo(110));
        Assert.That(Node(tree, 50).Has(NodeFlags.LeadsSession), Is.False);
        Assert.That(Node(tree, 100).Has(NodeFlags.CheckSession), Is.False);
    }

    [Test]
    public void WithoutPod_TakenNumbersOutsideAreLeftAlone()
    {
        var taken = new HashSet<int> { 50, 60 };

        ProcessTree tree = ProcessTree.Build([Process(1, 100, 50, 60, 50)], new TreePlace(false, false, pid => !taken.Contains(pid), 50));

        Assert.That(tree.Nodes, Has.Count.EqualTo(1));
        Assert.That(tree.Nodes[0].Flags, Is.EqualTo(NodeFlags.Root | NodeFlags.CheckSession));
    }

    [Test]
    public void SeveralRoots_AreOrderedByMember()
    {
        ProcessTree tree = ProcessTree.Build([Process(2, 100, 50, 100, 50), Process(1, 200, 60, 200, 60)], s_pod);

        Assert.That(tree.Roots.Select(root => root.Pid), Is.EqualTo(new[] { 200, 100 }));
    }

    [Test]
    public void ImpossiblePlaces_AreRefusedWithASentence()
    {
        Assert.Multiple(() =>
        {
            Assert.That(() => ProcessTree.Build([Process(1, 1, 0, 1, 1)], s_pod), Throws.TypeOf<RestartException>());
            Assert.That(() => ProcessTree.Build([Process(1, 5, 4, 5, 4), Process(2, 5, 4, 5, 4)], s_pod), Throws.TypeOf<RestartException>());
            Assert.That(() => ProcessTree.Build([Process(1, 5, 6, 5, 5), Process(2, 6, 5, 6, 6)], s_pod), Throws.TypeOf<RestartException>());
        });
    }

    [Test]
    public void RandomTrees_BuildOrAreRefused_AndNeverLoop([Range(1, 300)] int seed)
    {
        var random = new Random(seed);
        List<ImageManifest> members = [];
        for (uint member = 1; member <= 8; member++)
        {
            int[] numbers = [1, 50, 60, .. members.Select(manifest => manifest.Pid)];
            int Any() => numbers[random.Next(numbers.Length)];
            int pid = 100 + (int)member;
            members.Add(Process(member, pid, Any(), random.Next(2) == 0 ? pid : Any(), random.Next(3) == 0 ? pid : Any()));
        }

        try
        {
            ProcessTree tree = ProcessTree.Build(members, s_pod);
            Assert.That(tree.Nodes.Count(node => node.Kind == NodeKind.Member), Is.EqualTo(8));
        }
        catch (RestartException)
        {
            Assert.Pass();
        }
    }
}
