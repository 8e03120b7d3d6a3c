using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Descriptors that the test runner has inherited from whoever started it must not end up in the programs under test.</summary>
[SetUpFixture]
public sealed partial class OwnDescriptors
{
    private const uint CLOSE_RANGE_CLOEXEC = 4;

    [OneTimeSetUp]
    public void KeepThemFromChildren() => Assert.That(CloseRange(3, uint.MaxValue, CLOSE_RANGE_CLOEXEC), Is.Zero);

    [LibraryImport("libc", EntryPoint = "close_range", SetLastError = true)]
    private static partial int CloseRange(uint first, uint last, uint flags);
}
