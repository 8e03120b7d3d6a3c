using System.Net.Sockets;
using Dormouse.Coordinator.Host;
using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.State;

/// <summary>The coordinator creates the image of a member that may not, and nothing else.</summary>
internal sealed class ImageOpeningTests
{
    private const ulong Channel = 0x0123456789abcdef;
    private SimulatedComputation _computation = null!;
    private RecordingPeer _peer = null!;
    private string _image = "";

    [SetUp]
    public void SetUp()
    {
        _computation = new SimulatedComputation();
        (_peer, MemberScript script) = _computation.Join(new MemberScript(_computation.Hello("a", hostId: OwnHost.Id)) { SilentAt = FrameKind.CheckpointRequested });
        _computation.BeginCheckpoint();
        _computation.Settle();
        _image = Path.Combine(_computation.Directory, ImageNames.Temporary(ImageNames.Image("renamed", _computation.State.Number, 1), 1));
    }

    [TearDown]
    public void TearDown() => _computation.Dispose();

    [Test]
    public void ItsImage_IsCreated_AndSent()
    {
        using Socket member = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        member.Bind(new UnixDomainSocketEndPoint("\0" + Want(_image).ChannelName));
        File.WriteAllText(_image, "left by an earlier one");

        bool isThere = Ask(_image);

        Assert.That(isThere, Is.True);
        Assert.That(member.Available, Is.EqualTo(1));
        Assert.That(new FileInfo(_image).Length, Is.Zero);
        Assert.That(File.GetUnixFileMode(_image), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public void WhatNobodyTakes_IsNotLeftThere()
    {
        Assert.That(Ask(_image), Is.False);
        Assert.That(_image, Does.Not.Exist);
    }

    [TestCase("/etc/.ckpt_a_DIGITS-1.img.part-1", TestName = "{m}(elsewhere)")]
    [TestCase("DIR/../.ckpt_a_DIGITS-1.img.part-1", TestName = "{m}(above)")]
    [TestCase("DIR/x/.ckpt_a_DIGITS-1.img.part-1", TestName = "{m}(below)")]
    [TestCase("DIR/.ckpt_a_DIGITS-2.img.part-1", TestName = "{m}(another member's)")]
    [TestCase("DIR/.ckpt_a_DIGITS-1.img.part-2", TestName = "{m}(another epoch's)")]
    [TestCase("DIR/ckpt_a_DIGITS-1.img", TestName = "{m}(an older image)")]
    public void AnotherFile_IsRefused(string path)
    {
        path = path.Replace("DIR", _computation.Directory, StringComparison.Ordinal).Replace("DIGITS", ImageNames.Digits(_computation.State.Number), StringComparison.Ordinal);

        Assert.That(() => Ask(path), Throws.TypeOf<ProtocolException>());
        Assert.That(path, Does.Not.Exist);
    }

    private static ImageFileWanted Want(string path) => new(1, path, Channel);

    private bool Ask(string path)
    {
        MessageWriter writer = new(64);
        Want(path).Write(ref writer);
        _computation.State.Receive(_peer, FrameKind.ImageFileWanted, writer.Written);
        return _peer.Take()[^1].As<ImageFileSent>().IsThere;
    }
}
