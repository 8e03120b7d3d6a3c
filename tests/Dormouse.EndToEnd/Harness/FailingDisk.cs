using System.Globalization;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Harness;

/// <summary>
/// A file system on a disk that gives EIO when more than a little is written to it: compressed memory (zram) with a limit, see
/// Documentation/admin-guide/blockdev/zram.rst. Root only; most kernels have it, as a module.
/// </summary>
internal sealed class FailingDisk : IAsyncDisposable
{
    private readonly CheckpointedProgram _program;
    private readonly int _number;

    private FailingDisk(CheckpointedProgram program, int number) => (_program, _number) = (program, number);

    public string MountPoint => Path.Combine(_program.DirectoryPath, "failing");

    private string Device => $"/dev/zram{_number}";

    public static async Task<FailingDisk> MountAsync(CheckpointedProgram program, CancellationToken token)
    {
        await program.RunAsync("modprobe", ["sh", "-c", "modprobe zram 2>/dev/null; true"], token).ConfigureAwait(false);
        const string Adder = "/sys/class/zram-control/hot_add";
        if (!File.Exists(Adder)) Assert.Ignore("this kernel has no zram, with which a failing disk is made");
        FailingDisk disk = new(program, int.Parse(await File.ReadAllTextAsync(Adder, token).ConfigureAwait(false), CultureInfo.InvariantCulture));
        string settings = $"/sys/block/zram{disk._number}";
        Directory.CreateDirectory(disk.MountPoint);
        string script = $"PATH=$PATH:/usr/sbin:/sbin; echo 64M > {settings}/disksize && mkfs.ext2 -q {disk.Device} && mount {disk.Device} {disk.MountPoint} && sync && echo 1M > {settings}/mem_limit";
        ToolResult result = await program.RunAsync("mount", ["sh", "-c", script], token).ConfigureAwait(false);
        Assert.That(result.ExitCode, Is.Zero, program.Transcript.ToString());
        return disk;
    }

    public async ValueTask DisposeAsync()
        => await _program.RunAsync("umount", ["sh", "-c", $"umount {MountPoint}; echo {_number} > /sys/class/zram-control/hot_remove"], CancellationToken.None).ConfigureAwait(false);
}
