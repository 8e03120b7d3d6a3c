using Dormouse.Protocol;

namespace Dormouse.UnitTests.Protocol;

internal sealed class FrameBufferTests
{
    [Test]
    public void Frames_ArrivingByteByByte_ComeOutWhole()
    {
        MessageWriter writer = new(16);
        foreach (MessageSample sample in MessageSample.All)
        {
            writer.WriteUInt32((uint)sample.Payload.Length);
            writer.WriteUInt16((ushort)sample.Kind);
            writer.WriteBytes(sample.Payload);
        }

        FrameBuffer buffer = new(1);
        List<(FrameKind, byte[])> frames = [];
        foreach (byte value in writer.Written)
        {
            buffer.Space(1).Span[0] = value;
            buffer.Advance(1);
            while (buffer.TryTake(out FrameKind kind, out ReadOnlySpan<byte> payload)) frames.Add((kind, payload.ToArray()));
        }

        Assert.That(frames, Is.EqualTo(MessageSample.All.Select(sample => (sample.Kind, sample.Payload))));
        Assert.That(buffer.Pending, Is.Zero);
    }

    [TestCase(FrameKind.Abort, Frame.MaximumPayloadBytes)]
    [TestCase(FrameKind.Inventory, Frame.MaximumInventoryBytes)]
    [TestCase((FrameKind)9999, Frame.MaximumPayloadBytes)]
    public void AFrame_LongerThanItsKindMayBe_IsRefusedByItsHeader(FrameKind kind, int maximum)
    {
        Assert.That(() => Offer(new FrameBuffer(), (uint)maximum, kind), Throws.Nothing);
        Assert.That(() => Offer(new FrameBuffer(), (uint)maximum + 1, kind), Throws.TypeOf<ProtocolException>());
        Assert.That(() => Offer(new FrameBuffer(), uint.MaxValue, kind), Throws.TypeOf<ProtocolException>());
    }

    [Test]
    public void AFrame_BeforeTheProof_MustBeShort()
    {
        FrameBuffer buffer = new() { MaximumPayloadBytes = Frame.MaximumHandshakeBytes };

        Assert.That(() => Offer(buffer, Frame.MaximumHandshakeBytes + 1, FrameKind.Inventory), Throws.TypeOf<ProtocolException>());
    }

    private static void Offer(FrameBuffer buffer, uint length, FrameKind kind)
    {
        MessageWriter writer = new(8);
        writer.WriteUInt32(length);
        writer.WriteUInt16((ushort)kind);
        writer.Written.CopyTo(buffer.Space(8).Span);
        buffer.Advance(writer.Length);
        buffer.TryTake(out _, out _);
    }
}
