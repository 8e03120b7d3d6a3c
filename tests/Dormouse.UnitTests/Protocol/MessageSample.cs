using Dormouse.Protocol;

namespace Dormouse.UnitTests.Protocol;

/// <summary>One message with telling values, and how to read and write it.</summary>
internal sealed record MessageSample(string Name, FrameKind Kind, byte[] Payload, Func<byte[], byte[]> ReadAndWrite)
{
    public static readonly MessageSample[] All =
    [
        Of(new ServerHello(Bytes(16))),
        Of(new ClientHello(Role.Command, Bytes(16), Bytes(32))),
        Of(new Refused("no")),
        Of(new CommandHello("boot-1", 77)),
        Of(new CommandWelcome(Bytes(32), 0x1122334455667788)),
        Of(new MemberHello("node3", "boot-4026531836", 4711, -1, ulong.MaxValue, 1000, "naïve\udc80", "/bin/x", MemberFlags.Restarted, 7, 8, 9)),
        Of(new Welcome(Bytes(32), 3, 0x8877665544332211, 12)),
        Of(new CheckpointRequested(1, 2, "/scratch", ImageCodec.Zstd, true, 300, true)),
        Of(new ImageFileWanted(1, "/scratch/.ckpt_x.img.part-1", 0x1122334455667788)),
        Of(new ImageFileSent(1, true)),
        Of(new Suspended(1, 200, [1, -2, int.MaxValue])),
        Of(new ChildrenUnknown(1, [5])),
        Of(new BarrierReached(1, Phase.Refill)),
        Of(new BarrierReleased(1, Phase.Suspend)),
        Of(new Inventory(1, [Item(1), Item(2)], [new ConnectionEnd(1, 77)])),
        Of(new ProbeEnds(1, ProbeStep.Probe, [new EndOrder(77, 8)])),
        Of(new EndReports(1, [new EndReport(77, 1, 2, 3, 4, EndFlags.Accepted | EndFlags.HasSentEnd, 5, 6)])),
        Of(new NamedEnds(1, [new NamedEnd(77, new ResourceKey(1, 2), new ResourceKey(3, 4), true)])),
        Of(new Candidates(1, 4, [new Candidate(9, 10, Item(3))])),
        Of(new ImageWritten(1, "/a/.ckpt.part", "ckpt_x.img", 1, 2, 3, ["fd 7: lost", ""])),
        Of(new CommitImages(1, [new ImageRename("/a", "/b", true), new ImageRename("/c", "/d", false)])),
        Of(new CommitDone(1)),
        Of(new CheckpointFailed(1, "vfork")),
        Of(new Abort(1, "gone")),
        Of(new CheckpointFinished(1, true, true, ["/old"])),
        Of(default(KillRequested)),
        Of(new RestartFailed("no file")),
        Of(new Publish(3, [new PublishedName(new ResourceKey(1, 2), [3, 4, 5])])),
        Of(new Lookup(3, [new ResourceKey(1, 2), new ResourceKey(6, 7)], true)),
        Of(new Published(3, [new PublishedName(new ResourceKey(1, 2), [])])),
        Of(new Announce(3, [new PublishedName(new ResourceKey(1, 2), [3, 4, 5])])),
        Of(new Announced(3, [new PublishedName(new ResourceKey(1, 2), [])])),
        Of(new CheckpointCommand(ImageCodec.Lz4, true, "/scratch", true)),
        Of(default(StatusCommand)),
        Of(default(ListCommand)),
        Of(default(KillCommand)),
        Of(default(QuitCommand)), Of(default(DismissCommand)), Of(default(PreparingCommand)),
        Of(new IntervalCommand(60)),
        Of(new RestartBegin(1, 2, 3, 4, true, true)),
        Of(new DirectoryCommand("/d")),
        Of(new AnnounceCommand("h", "boot-1", 2, 3, "p")),
        Of(new ReachCommand("10.0.0.1")), Of(new Reached("10.0.0.1:7779")),
        Of(default(CommandDone)),
        Of(new CommandFailed(FailureKind.Busy, "busy")),
        Of(new StatusReport(1, 2, Phase.Drain, 3, 4, 5, "/d", "host", 6, "pid 1")),
        Of(new MemberReport(1, "h", 2, 7, 3, 4, 5, "p", "/p")),
        Of(new ImageReport(1, "h", 2, "p", "/i", 3, 4, 5, ["x"])),
        Of(new CheckpointReport(1, 2, "/d", 3, 4)),
        Of(new RestartAccepted(1)),
        Of(new RestartProgress(Phase.Memory, 2)),
        Of(new RestartDone(2)),
    ];

    public override string ToString() => Name;

    private static MessageSample Of<T>(T message)
        where T : struct, IMessage<T>
        => new(typeof(T).Name, T.Kind, Encode(message), payload => Encode(Frame.Read<T>(payload)));

    private static byte[] Encode<T>(T message)
        where T : struct, IMessage<T>
    {
        MessageWriter writer = new(1);
        message.Write(ref writer);
        return writer.Written.ToArray();
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(1, count).Select(value => (byte)value)];

    private static InventoryItem Item(ulong seed) => new(new(seed, 2), new(3, seed), 4, 5, seed << 40);
}
