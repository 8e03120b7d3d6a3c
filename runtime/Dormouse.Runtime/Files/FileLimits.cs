// World: Frozen.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>How many bytes of files the image carries. DORMOUSE_FILE_LIMIT sets it, in MiB for each file.</summary>
internal sealed class FileLimits
{
    private const string Variable = "DORMOUSE_FILE_LIMIT=";
    private const int DefaultMebibytes = 64;
    private const long LargestLogBytes = 1 << 20;
    private const long LargestNamelessBytes = 1L << 30;
    private const int FilesAtLimit = 4;

    /// <summary>A mapped file up to this size is saved like any other, a larger one through its mapping. Not to be set: all members must agree.</summary>
    public const long LargestMappedBytes = DefaultMebibytes << 20;

    private readonly long _fileBytes;
    private long _leftBytes;

    private FileLimits(long fileBytes)
    {
        _fileBytes = fileBytes;
        _leftBytes = fileBytes * FilesAtLimit;
    }

    /// <summary>Of one file, for messages.</summary>
    public long Mebibytes => _fileBytes >> 20;

    /// <summary>What holds for this checkpoint: the environment that the program was started with, proc_pid_environ(5).</summary>
    public static FileLimits Read()
    {
        long mebibytes = DefaultMebibytes;
        foreach (string variable in ProcFile.ReadStrings("/proc/self/environ"))
        {
            if (variable.StartsWith(Variable, StringComparison.Ordinal)
                && uint.TryParse(variable.AsSpan(Variable.Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint wanted))
            {
                mebibytes = wanted;
            }
        }

        return new FileLimits(mebibytes << 20);
    }

    /// <summary>Whether this file still fits; then its bytes are taken from what all files together may have.</summary>
    /// <param name="status">Of the file; holes cost nothing.</param>
    /// <param name="isLog">It only grows, so that it need not be saved to be cut back.</param>
    /// <param name="isInMemory">It is memory that the computation has anyhow.</param>
    public bool TryTake(in FileStatus status, bool isLog, bool isInMemory)
    {
        long bytes = Math.Min(status.SizeBytes, status.Blocks * 512);
        if (isInMemory)
        {
            return bytes <= LargestNamelessBytes;
        }

        if (bytes > (isLog ? Math.Min(LargestLogBytes, _fileBytes) : _fileBytes) || bytes > _leftBytes)
        {
            return false;
        }

        _leftBytes -= bytes;
        return true;
    }

    /// <summary>Files that no path leads to are carried or the checkpoint is refused.</summary>
    /// <exception cref="CheckpointException">It is too large.</exception>
    public static void CheckNameless(string path, in FileStatus status)
    {
        if (status.Blocks * 512 > LargestNamelessBytes)
        {
            throw new CheckpointException($"{path} has no name in the file system any more and holds {status.Blocks >> 11} MiB, more than the {LargestNamelessBytes >> 20} MiB that an image carries. Keep the file linked while the program runs.");
        }
    }
}
