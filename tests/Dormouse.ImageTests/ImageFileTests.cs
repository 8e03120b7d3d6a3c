using Dormouse.Protocol.Image;
using NUnit.Framework;

namespace Dormouse.ImageTests;

public sealed class ImageFileTests
{
    private string _path = "";
    private byte[] _image = [];

    [SetUp]
    public void WriteImage()
    {
        _path = Path.GetTempFileName();
        ImageManifest manifest = ManifestTests.Full();
        _image = new ImageBuilder { Manifest = manifest }.Build();
        File.WriteAllBytes(_path, _image);
    }

    [TearDown]
    public void DeleteImage() => File.Delete(_path);

    [Test]
    public void WholeImage_IsRead()
    {
        ImageFile image = ImageFile.Open(_path);
        image.VerifyMemory();

        Assert.Multiple(() =>
        {
            Assert.That(image.Header.Pid, Is.EqualTo(100));
            Assert.That(image.Threads.Select(thread => thread.Tid), Is.EqualTo(new[] { 100, 101, 102 }));
            Assert.That(image.Text(image.Header.ExePath), Is.EqualTo("/bin/true"));
            Assert.That(image.Vmas, Has.Some.Matches<ImageVma>(vma => vma.Kind == VmaKind.Vdso));
        });
    }

    [Test]
    public void TruncationAnywhere_IsRefused([Values(0, 1, 7, 8, 100, 4095, 4096, 5000, -1)] int length)
    {
        Write(_image[..(length < 0 ? _image.Length + length : length)]);

        Assert.That(() => ImageFile.Open(_path), Throws.TypeOf<ImageFormatException>().With.Message.Contains(_path));
    }

    [Test]
    public void FlippedBitInHeaderOrTables_IsRefused()
    {
        ImageHeader header = ImageFile.OpenHeader(_path);
        int[] places = [0, 9, 13, 24, 40, 48, 60, 140, 300, 792, 2000,
            (int)header.Manifest.Offset + 5, (int)header.Vmas.Offset, (int)header.Threads.Offset + 3, (int)header.Strings.Offset, (int)header.Extents.Offset + 9];

        foreach (int place in places)
        {
            Write([.. _image[..place], (byte)(_image[place] ^ 4), .. _image[(place + 1)..]]);

            Assert.That(() => ImageFile.Open(_path), Throws.TypeOf<ImageFormatException>().With.Message.Contains(_path), $"byte {place}");
        }
    }

    [Test]
    public void FlippedBitInMemory_IsFoundByVerification()
    {
        ImageExtent extent = ImageFile.Open(_path).Extents[1];
        _image[(int)extent.FileOffset + 17] ^= 1;
        Write(_image);

        Assert.That(() => ImageFile.Open(_path).VerifyMemory(), Throws.TypeOf<ImageFormatException>().With.Message.Contains("damaged"));
    }

    [Test]
    public void UnfinishedImage_SaysSo()
    {
        Array.Clear(_image, 0, 4096);
        Write(_image);

        Assert.That(() => ImageFile.Open(_path), Throws.TypeOf<ImageFormatException>().With.Message.Contains("not complete"));
    }

    private void Write(byte[] bytes) => File.WriteAllBytes(_path, bytes);
}
