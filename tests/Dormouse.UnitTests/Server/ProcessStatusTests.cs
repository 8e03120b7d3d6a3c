using System.Diagnostics;
using Dormouse.Coordinator.Host;

namespace Dormouse.UnitTests.Server;

internal sealed class ProcessStatusTests
{
    [Test]
    public void Lines_AreFoundAtTheirBeginningsOnly()
    {
        const string Text = "Name:\tRssAnon: 5 kB\nState:\tt (tracing stop)\nPPid:\t7\nTracerPid:\t41\nRssAnon:\t    1234 kB\nRssFile:\t 9 kB\n";

        Assert.That(ProcessStatus.Parse(Text), Is.EqualTo(new ProcessStatus('t', 41, 1234 * 1024)));
    }

    [Test]
    public void Zombie_HasNoMemory()
        => Assert.That(ProcessStatus.Parse("State:\tZ (zombie)\nTracerPid:\t0\n"), Is.EqualTo(new ProcessStatus('Z', 0, 0)));

    [Test]
    public void ThisProcess_RunsAndHasMemory()
    {
        ProcessStatus status = ProcessStatus.Read(Environment.ProcessId);

        Assert.That(status.IsStoppedBySignal, Is.False);
        Assert.That(status.AnonymousBytes, Is.GreaterThan(1 << 20));
    }

    [Test]
    public void ProcessThatHasEnded_IsNotStopped()
    {
        using Process ended = Process.Start("true");
        ended.WaitForExit();

        Assert.That(ProcessStatus.Read(ended.Id), Is.EqualTo(new ProcessStatus('X', 0, 0)));
    }
}
