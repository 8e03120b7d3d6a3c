using Dormouse.Launcher.Ssh;

namespace Dormouse.UnitTests.Launcher;

/// <summary>Command lines as ssh(1) reads them.</summary>
[TestFixture]
internal sealed class SshArgumentsTests
{
    [TestCase("host", "host", null, "")]
    [TestCase("host command", "host", "command", "")]
    [TestCase("-x host a|b|c", "host", "a b c", "-x")]
    [TestCase("-x -o BatchMode=yes host command", "host", "command", "-x|-o|BatchMode=yes")]
    [TestCase("-p 22 host -l user command -l", "host", "command -l", "-p|22|-l|user")]
    [TestCase("-p22 -luser host command", "host", "command", "-p|22|-l|user")]
    [TestCase("-xp22 host command", "host", "command", "-x|-p|22")]
    [TestCase("-xtt host command", "host", "command", "-x")]
    [TestCase("-ttx host command", "host", "command", "-x")]
    [TestCase("-n -T host command", "host", "command", "")]
    [TestCase("-- host -x", "host", null, "-x")]
    [TestCase("host -- -x", "host", "-x", "")]
    [TestCase("-J jump user@host ls", "user@host", "ls", "-J|jump")]
    [TestCase("ssh://user@host:22 ls", "ssh://user@host:22", "ls", "")]
    public void Parse_FindsHostCommandAndOptions(string line, string host, string? command, string options)
    {
        SshArguments parsed = Parse(line);

        Assert.That(parsed.Host, Is.EqualTo(host));
        Assert.That(parsed.Command, Is.EqualTo(command));
        Assert.That(string.Join('|', parsed.Options), Is.EqualTo(options));
        Assert.That(parsed.IsPlain, Is.False);
    }

    [TestCase("-N host"), TestCase("-V"), TestCase("-G host"), TestCase("-O check host"), TestCase("-W a:1 host"), TestCase("-fN host")]
    [TestCase("-f host sleep|10"), TestCase("-s host sftp"), TestCase("-Q kex"), TestCase("-o SessionType=none host"), TestCase("")]
    public void Parse_LeavesAloneWhatRunsNoCommand(string line) => Assert.That(Parse(line).IsPlain, Is.True);

    [TestCase("host", true, true), TestCase("host", false, false), TestCase("host ls", true, false)]
    [TestCase("-t host ls", true, true), TestCase("-t host ls", false, false), TestCase("-tt host ls", false, true)]
    [TestCase("-t -t host ls", false, true), TestCase("-T host", true, false), TestCase("-tt -T host ls", true, false)]
    public void Terminal_IsAsSshDecides(string line, bool atTerminal, bool expected)
        => Assert.That(Parse(line).WantsTerminal(atTerminal), Is.EqualTo(expected));

    /// <summary>Words are parted by blanks; a bar stands for a blank within the words of a command.</summary>
    private static SshArguments Parse(string line) => SshArguments.Parse([.. line.Split([' ', '|'], StringSplitOptions.RemoveEmptyEntries)]);
}
