using System.Diagnostics;

namespace Dormouse.ToolTests;

/// <summary>dmlaunch refuses before harm, in one sentence, with an exit code of its own.</summary>
internal sealed class RefusalTests
{
    private Tools _tools = null!;

    [SetUp]
    public void SetUp() => _tools = new Tools();

    [TearDown]
    public void TearDown() => _tools.Dispose();

    [TestCase("-static", "is a static program")]
    [TestCase("-static-pie", "is a static program")]
    [TestCase("-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1", "is linked with musl or another C library")]
    [CancelAfter(30_000)]
    public async Task AProgramThatOurLibraryCannotEnter_IsRefused(string linkOption, string reason, CancellationToken token)
    {
        string program = await CompileAsync(linkOption, token);

        ToolResult result = await _tools.RunAsync(token, "dmlaunch", program);

        AssertRefusal(result, 125, reason);
        Assert.That(_tools.RuntimeDirectory, Does.Not.Exist, "a coordinator was started for nothing");
    }

    [TestCase(4, (byte)1, "is a 32-bit program")]
    [TestCase(18, (byte)183, "is for another kind of processor")]
    [CancelAfter(30_000)]
    public async Task AProgramOfAnotherKindOfMachine_IsRefused(int offset, byte value, string reason, CancellationToken token)
    {
        string program = await CompileAsync("-O1", token);
        byte[] bytes = await File.ReadAllBytesAsync(program, token);
        bytes[offset] = value;
        await File.WriteAllBytesAsync(program, bytes, token);

        AssertRefusal(await _tools.RunAsync(token, "dmlaunch", program), 125, reason);
    }

    [Test, CancelAfter(30_000)]
    public async Task AScript_IsJudgedByItsInterpreter(CancellationToken token)
    {
        string interpreter = await CompileAsync("-static", token);
        string script = Path.Combine(_tools.Home, "script");
        await File.WriteAllTextAsync(script, $"#! {interpreter} -x\n", token);
        File.SetUnixFileMode(script, (UnixFileMode)0x1ED);

        AssertRefusal(await _tools.RunAsync(token, "dmlaunch", script), 125, $"{interpreter} is a static program");
    }

    [TestCase("no-such-program", 127, "is not found in PATH")]
    [TestCase("./no-such-program", 127, "is not found")]
    [TestCase("/etc/passwd", 126, "cannot be run")]
    [TestCase("/tmp", 126, "cannot be run")]
    [CancelAfter(20_000)]
    public async Task AProgramThatIsNotThere_IsRefusedAsShellsDo(string program, int exitCode, string reason, CancellationToken token)
        => AssertRefusal(await _tools.RunAsync(token, "dmlaunch", program), exitCode, reason);

    [TestCase("--bogus true")]
    [TestCase("-i soon true")]
    [TestCase("-p 65536 true")]
    [TestCase("--keep 0 true")]
    [TestCase("-q")]
    [CancelAfter(20_000)]
    public async Task AWrongCommandLine_IsRefused(string arguments, CancellationToken token)
        => AssertRefusal(await _tools.RunAsync(token, "dmlaunch", arguments.Split(' ')), 2, "");

    [TestCase("/proc/self/nowhere", "cannot be made")]
    [TestCase("/proc", "cannot be written")]
    [CancelAfter(20_000)]
    public async Task ADirectoryThatCannotHoldImages_IsRefused(string directory, string reason, CancellationToken token)
        => AssertRefusal(await _tools.RunAsync(token, "dmlaunch", "--ckptdir", directory, "true"), 125, reason);

    [Test, CancelAfter(20_000)]
    public async Task ARuntimeDirectoryThatOthersCanRead_IsMadePrivate(CancellationToken token)
    {
        Directory.CreateDirectory(_tools.RuntimeDirectory, (UnixFileMode)0x1FF);

        ToolResult result = await _tools.RunAsync(token, "dmlaunch", "-p", "0", "true");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That((int)File.GetUnixFileMode(_tools.RuntimeDirectory), Is.EqualTo(0x1C0));
    }

    private static void AssertRefusal(ToolResult result, int exitCode, string reason)
    {
        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Error);
        Assert.That(result.Error, Does.StartWith("dmlaunch: ").And.Contain(reason));
        Assert.That(result.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
        Assert.That(result.Output, Is.Empty);
    }

    private async Task<string> CompileAsync(string option, CancellationToken token)
    {
        string source = Path.Combine(_tools.Home, "program.c"), program = Path.Combine(_tools.Home, "program");
        await File.WriteAllTextAsync(source, "int main(void) { return 0; }\n", token);
        using Process compiler = Process.Start("cc", [option, "-o", program, source]);
        await compiler.WaitForExitAsync(token);
        if (compiler.ExitCode != 0) Assert.Ignore($"cc {option} does not work here");
        return program;
    }
}
