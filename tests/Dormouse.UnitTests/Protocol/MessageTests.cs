using Dormouse.Protocol;

namespace Dormouse.UnitTests.Protocol;

internal sealed class MessageTests
{
    private static MessageSample[] Samples => MessageSample.All;

    [Test]
    public void EveryKind_HasASample()
    {
        IEnumerable<FrameKind> kinds = Enum.GetValues<FrameKind>().Where(kind => kind != FrameKind.None);

        Assert.That(Samples.Select(sample => sample.Kind), Is.EquivalentTo(kinds));
    }

    [TestCaseSource(nameof(Samples))]
    public void AMessage_ReadAndWrittenAgain_IsTheSame(object sample)
    {
        MessageSample message = (MessageSample)sample;

        Assert.That(message.ReadAndWrite(message.Payload), Is.EqualTo(message.Payload));
    }

    [TestCaseSource(nameof(Samples))]
    public void AMessage_CutOffAnywhere_IsAProtocolError(object sample)
    {
        MessageSample message = (MessageSample)sample;

        for (int length = 0; length < message.Payload.Length; length++)
            Assert.That(() => message.ReadAndWrite(message.Payload[..length]), Throws.TypeOf<ProtocolException>(), $"cut to {length} bytes");
    }

    [TestCaseSource(nameof(Samples))]
    public void AMessage_WithSomethingBehind_IsAProtocolError(object sample)
    {
        MessageSample message = (MessageSample)sample;

        Assert.That(() => message.ReadAndWrite([.. message.Payload, 0]), Throws.TypeOf<ProtocolException>());
    }

    [TestCaseSource(nameof(Samples))]
    public void AMessage_WithAnyByteChanged_IsReadOrAProtocolError(object sample)
    {
        MessageSample message = (MessageSample)sample;

        for (int index = 0; index < message.Payload.Length; index++)
        {
            byte[] damaged = [.. message.Payload];
            damaged[index] ^= 0xFF;
            try
            {
                message.ReadAndWrite(damaged);
            }
            catch (ProtocolException)
            {
                // As it should be.
            }
        }
    }

    [Test]
    public void TextThatIsNotUtf8_Survives()
    {
        MessageWriter writer = new(16);
        writer.WriteUInt16(3);
        writer.WriteBytes([0x61, 0xFF, 0x62]);
        MessageReader reader = new(writer.Written);

        string text = reader.ReadString();
        MessageWriter again = new(16);
        again.WriteString(text);

        Assert.That(again.Written.ToArray(), Is.EqualTo(writer.Written.ToArray()));
    }
}
