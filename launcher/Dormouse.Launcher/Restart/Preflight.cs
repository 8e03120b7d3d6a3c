using System.Globalization;
using Dormouse.Protocol.Image;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Restart;

/// <summary>What there is to say before anything is woken.</summary>
/// <param name="Problems">Sentences: why it cannot work. Empty: it can.</param>
/// <param name="Differences">Sentences: what will not be as it was.</param>
internal sealed record PreflightResult(IReadOnlyList<string> Problems, IReadOnlyList<string> Differences);

/// <summary>Compares images with this host: user, processor, kernel, files, process ids.</summary>
internal sealed class Preflight
{
    private const int HighestStandardPid = 32768;
    private const ulong NanosecondsPerTick = 100;

    private readonly HashSet<string> _problems = [];
    private readonly HashSet<string> _differences = [];
    private readonly HashSet<string> _filesSeen = [];
    private readonly uint[] _processor = CpuFeatures.Read();
    private readonly KernelPages _kernel = KernelPages.Read();
    private readonly uint _user = RestartNative.EffectiveUser();

    private Preflight()
    {
    }

    /// <summary>The highest process id that this host gives, plus one.</summary>
    public static int PidLimit { get; } = ReadPidLimit();

    /// <summary>Looks at all images.</summary>
    public static PreflightResult Examine(IReadOnlyList<ImageFile> images)
    {
        var preflight = new Preflight();
        foreach (ImageFile image in images)
        {
            preflight.ExamineProcess(image);
            preflight.ExamineFiles(image);
        }

        return new PreflightResult([.. preflight._problems], [.. preflight._differences]);
    }

    private void ExamineProcess(ImageFile image)
    {
        ImageManifest manifest = image.Manifest;
        string who = $"{manifest.Program} (pid {manifest.Pid})";
        if (_user != 0 && manifest.Uid != _user)
        {
            _problems.Add($"{who} belongs to user {manifest.Uid} and you are user {_user}. Run dmrestart as that user or as root.");
        }

        string[] missing = CpuFeatures.Missing(manifest.CpuFeatures, _processor);
        if (missing.Length > 0)
        {
            _problems.Add($"This processor lacks {string.Join(", ", missing)}, which {who} may be using. Wake it on a host like {manifest.HostName}.");
        }

        if (!_kernel.Fit(image) && Array.Exists(image.Vmas, vma => vma.Kind == VmaKind.Vdso && (vma.Flags & VmaFlags.Stored) != 0))
        {
            _differences.Add($"{who}: this kernel's vdso is not that of Linux {manifest.KernelRelease}; the time is asked of the kernel, which takes a little longer");
        }
        else if (!_kernel.Fit(image))
        {
            _problems.Add($"This kernel's code page (vdso) is not like that of Linux {manifest.KernelRelease}, where {who} slept. Boot that kernel or use such a host.");
        }

        if (manifest.RootDirectory is not ("/" or ""))
        {
            _problems.Add($"{who} had the root directory {manifest.RootDirectory} (chroot), which is not supported yet.");
        }

        foreach (ImageThread thread in image.Threads)
        {
            if (thread.Tid >= PidLimit)
            {
                _problems.Add($"{who} has the thread number {thread.Tid} and this host gives numbers below {PidLimit}. Raise kernel.pid_max.");
                break;
            }
        }

        foreach (string loss in manifest.Losses)
        {
            _differences.Add($"{who}: {loss}");
        }
    }

    private void ExamineFiles(ImageFile image)
    {
        foreach (ImageVma vma in image.Vmas)
        {
            if (vma.Kind == VmaKind.File && (vma.Flags & VmaFlags.Stored) == 0 && image.Text(vma.Path) is { } path)
            {
                ExamineMappedFile(path, vma.FileSizeBytes, vma.FileModifiedNanoseconds, image.Manifest);
            }
        }

        foreach (NeededFile file in image.Manifest.NeededFiles)
        {
            if (!_filesSeen.Contains(file.Path) && !File.Exists(file.Path) && !Directory.Exists(file.Path))
            {
                _problems.Add($"{file.Path}, which {image.Manifest.Program} needs ({file.How}), is missing. Put it back.");
            }
        }
    }

    private void ExamineMappedFile(string path, ulong sizeBytes, ulong modifiedNanoseconds, ImageManifest manifest)
    {
        if (!_filesSeen.Add(path))
        {
            return;
        }

        try
        {
            // .NET tells the time in units of 100 nanoseconds.
            using SafeFileHandle file = File.OpenHandle(path);
            ulong modified = (ulong)(File.GetLastWriteTimeUtc(file) - DateTime.UnixEpoch).Ticks;
            if ((ulong)RandomAccess.GetLength(file) != sizeBytes || modified != modifiedNanoseconds / NanosecondsPerTick)
            {
                _problems.Add($"{path}, which {manifest.Program} is running from, has changed since the checkpoint. Put the old file back.");
            }
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            _problems.Add($"{path}, which {manifest.Program} is running from, is missing. Put it back as it was on {manifest.HostName}.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _problems.Add($"{path}, which {manifest.Program} is running from, cannot be read: {problem.Message}");
        }
    }

    private static int ReadPidLimit()
    {
        try
        {
            return int.Parse(File.ReadAllText("/proc/sys/kernel/pid_max"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or FormatException)
        {
            return HighestStandardPid;
        }
    }
}
