using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>The hosts of the tests are as different as hosts are.</summary>
internal sealed class HostGroupTests
{
    [Test, CancelAfter(60_000)]
    [TestCase("mouse"), TestCase("root")]
    public async Task Hosts_ReachEachOther_AndShareLittle(string user, CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(Turn.PseudoTerminals, token);
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b");

        ToolResult name = await hosts.RunOnAsync(token, "a", user, "ssh", "b", "hostname; id -un; echo from-b > /tmp/mark");
        ToolResult six = await hosts.RunOnAsync(token, "b", user, "ssh", "fd77::1", "hostname");
        ToolResult terminal = await hosts.RunOnAsync(token, "a", user, "ssh", "-tt", "b", "tty");
        ToolResult own = await hosts.RunOnAsync(token, "a", user, "cat", "/tmp/mark");
        ToolResult processes = await hosts.RunOnAsync(token, "b", user, "sh", "-c", "ls -d /proc/[0-9]* | wc -l");
        ToolResult tools = await hosts.RunOnAsync(token, "b", user, "dmlaunch", "--version");

        Assert.That(name.Output, Is.EqualTo($"b\n{user}\n"), hosts.Transcript.ToString());
        Assert.That(six.Output, Is.EqualTo("a\n"), hosts.Transcript.ToString());
        Assert.That(terminal.Output, Does.StartWith("/dev/pts/"), hosts.Transcript.ToString());
        Assert.That(own.ExitCode, Is.Not.Zero, "/tmp is not the same");
        Assert.That(int.Parse(processes.Output, System.Globalization.CultureInfo.InvariantCulture), Is.LessThan(10), "PIDs are their own");
        Assert.That(tools.ExitCode, Is.Zero, hosts.Transcript.ToString());
        hosts.Passed();
    }
}
