using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Where images cannot be written: the message names the file, the program goes on, and the next checkpoint elsewhere works.</summary>
internal sealed class StorageTests
{
    private static readonly Sample s_large = new("large", "large", "20");

    [Test, CancelAfter(120_000)]
    public async Task DiskThatFails_IsNamed(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_large, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);
        await using FailingDisk disk = await FailingDisk.MountAsync(program, token);

        ToolResult result = await program.TryCommandAsync(token, "--checkpoint", "--ckptdir", disk.MountPoint);

        AssertFailure(program, result, $"{disk.MountPoint}/.ckpt_large", "EIO");
        await AssertGoesOnAsync(program, token);
    }

    [Test, CancelAfter(120_000)]
    public async Task DiskThatIsFullForAllTogether_IsNamedBeforeAnythingIsStopped(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_large, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);
        await program.WaitForOutputAsync(program.LaunchAnother("second", s_large.Resolve()), "ready", token);
        string small = Path.Combine(program.DirectoryPath, "small");
        Directory.CreateDirectory(small);
        await program.RunAsync("mount", ["mount", "-t", "tmpfs", "-o", "size=30m", "none", small], token);
        try
        {
            ToolResult result = await program.TryCommandAsync(token, "--checkpoint", "--ckptdir", small);

            AssertFailure(program, result, small, "MiB free but the images of 2 processes need");
        }
        finally
        {
            await program.RunAsync("umount", ["umount", small], token);
        }

        await AssertGoesOnAsync(program, token);
    }

    /// <summary>Shared memory is not counted before: the disk is seen to be full only when the image is written.</summary>
    [Test, CancelAfter(120_000)]
    public async Task DiskThatFillsUpMeanwhile_IsNamed(CancellationToken token)
    {
        const string Script = "import mmap, time; m = mmap.mmap(-1, 40 << 20); m.write(b'x' * (40 << 20)); print('ready', flush=True); time.sleep(1000)";
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(new Sample("shared", "/usr/bin/python3", "-c", Script), RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);
        string small = Path.Combine(program.DirectoryPath, "small");
        Directory.CreateDirectory(small);
        await program.RunAsync("mount", ["mount", "-t", "tmpfs", "-o", "size=30m", "none", small], token);
        try
        {
            ToolResult result = await program.TryCommandAsync(token, "--checkpoint", "--ckptdir", small);

            AssertFailure(program, result, $"{small}/.ckpt_python3", "ENOSPC");
            Assert.That(Directory.GetFiles(small), Is.Empty, "nothing half written is left");
        }
        finally
        {
            await program.RunAsync("umount", ["umount", small], token);
        }

        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        await program.KillAsync(token);
        program.Passed();
    }

    [Test, CancelAfter(120_000)]
    public async Task LimitOnFileSize_IsNamed_AndSendsNoSignal(CancellationToken token)
    {
        Sample limited = new("limited", "/bin/sh", "-c", $"ulimit -f 8000; exec {Built.Sample("large")} 20");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(limited, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        ToolResult result = await program.TryCommandAsync(token, "--checkpoint");

        AssertFailure(program, result, $"{program.Images}/.ckpt_large", "EFBIG");
        await program.AssertContentAsync(s_large, token);
    }

    [Test, CancelAfter(120_000)]
    public async Task DirectoryThatCannotBeWritten_IsNamed(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_large, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        File.SetUnixFileMode(program.Images, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        ToolResult result = await program.TryCommandAsync(token, "--checkpoint");

        AssertFailure(program, result, $"{program.Images}/.ckpt_large", "EACCES");
        File.SetUnixFileMode(program.Images, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await AssertGoesOnAsync(program, token);
    }

    private static void AssertFailure(CheckpointedProgram program, ToolResult result, params string[] parts)
    {
        Assert.That(result.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1), program.Transcript.ToString());
        foreach (string part in parts) Assert.That(result.Errors, Does.Contain(part), program.Transcript.ToString());
    }

    private static async Task AssertGoesOnAsync(CheckpointedProgram program, CancellationToken token)
    {
        await program.CheckpointAsync(token);
        Assert.That(Directory.GetFiles(program.Images, ".*"), Is.Empty, "nothing half written is left");
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(s_large, token);
    }
}
