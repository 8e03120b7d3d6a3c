using System.Text;
using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

public sealed class Crc32CTests
{
    [Test]
    public void KnownVectors_Match()
    {
        // RFC 3720, appendix B.4.
        var ascending = new byte[32];
        for (int index = 0; index < ascending.Length; index++) ascending[index] = (byte)index;

        Assert.Multiple(() =>
        {
            Assert.That(Crc32C.Of(new byte[32]), Is.EqualTo(0x8A9136AA));
            Assert.That(Crc32C.Of(ascending), Is.EqualTo(0x46DD794E));
            Assert.That(Crc32C.Of("123456789"u8), Is.EqualTo(0xE3069283));
        });
    }

    [Test]
    public void Table_AgreesWithInstruction([Range(0, 40)] int length)
    {
        byte[] bytes = Encoding.ASCII.GetBytes("The dormouse sleeps for half of the year."[..length]);

        Assert.That(~Crc32C.AppendByTable(~0u, bytes), Is.EqualTo(Crc32C.Of(bytes)));
    }
}
