using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Interop;

/// <summary>native-shim/include/dm_launcher_start.h, which documents the functions, in the terms of C#.</summary>
internal static unsafe partial class Start
{
    private const string Library = "launcher-start";

    /// <summary>struct dm_start_file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileStatus
    {
        public ulong Device;
        public ulong Inode;
        public uint Mode;
        public uint Uid;
        public uint Gid;
        public uint HasCapabilities;
    }

    /// <summary>The command line with argv[0]; bytes that are not UTF-8 survive, see <see cref="KernelText"/>.</summary>
    public static string[] Arguments()
    {
        List<string> arguments = [];
        for (int index = 0; dm_start_argument(index) is var text && text is not null; index++)
            arguments.Add(KernelText.FromBytes(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)));
        return [.. arguments];
    }

    /// <summary>See dm_start_restore.</summary>
    public static void Restore() => dm_start_restore();

    /// <summary>See dm_start_exec.</summary>
    /// <returns>The errno value: it returns only on failure.</returns>
    public static Errno Exec(string path, int index, IEnumerable<KeyValuePair<string, string>> environment)
    {
        byte*[] entries = Strings(environment.Select(entry => $"{entry.Key}={entry.Value}"));
        fixed (byte* pathBytes = Terminated(path))
        fixed (byte** environmentBytes = entries)
        {
            return (Errno)(-dm_start_exec(pathBytes, index, environmentBytes));
        }
    }

    /// <summary>See dm_start_become.</summary>
    /// <param name="arguments">With argv[0].</param>
    /// <param name="environment">A null value takes the variable out.</param>
    /// <returns>The errno value: it returns only on failure.</returns>
    public static Errno Become(string path, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string?>> environment, int keep = -1)
    {
        byte*[] argv = Strings(arguments);
        byte*[] entries = Strings(environment.Select(entry => entry.Value is null ? entry.Key : $"{entry.Key}={entry.Value}"));
        fixed (byte* pathBytes = Terminated(path))
        fixed (byte** argvBytes = argv, environmentBytes = entries)
        {
            return (Errno)(-dm_start_become(pathBytes, argvBytes, environmentBytes, keep));
        }
    }

    /// <summary>See dm_start_orphan.</summary>
    public static Errno Orphan(string path, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string?>> environment, out int to, out int from)
    {
        byte*[] argv = Strings(arguments);
        byte*[] entries = Strings(environment.Select(entry => entry.Value is null ? entry.Key : $"{entry.Key}={entry.Value}"));
        fixed (byte* pathBytes = Terminated(path))
        fixed (byte** argvBytes = argv, environmentBytes = entries)
        fixed (int* toOut = &to, fromOut = &from)
        {
            *toOut = *fromOut = -1;
            return (Errno)(-dm_start_orphan(pathBytes, argvBytes, environmentBytes, toOut, fromOut));
        }
    }

    /// <summary>See dm_start_daemon.</summary>
    /// <param name="ready">The read end of the pipe on which the daemon says how it went.</param>
    public static Errno Daemon(string path, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment, out int ready)
    {
        byte*[] argv = Strings(arguments);
        byte*[] entries = Strings(environment.Select(entry => $"{entry.Key}={entry.Value}"));
        fixed (byte* pathBytes = Terminated(path))
        fixed (byte** argvBytes = argv, environmentBytes = entries)
        fixed (int* readyOut = &ready)
        {
            *readyOut = -1;
            return (Errno)(-dm_start_daemon(pathBytes, argvBytes, environmentBytes, readyOut));
        }
    }

    /// <summary>See dm_start_stat.</summary>
    public static Errno Stat(string path, out FileStatus status)
    {
        fixed (byte* pathBytes = Terminated(path))
        fixed (FileStatus* statusOut = &status)
        {
            return (Errno)(-dm_start_stat(pathBytes, -1, statusOut));
        }
    }

    /// <summary>See dm_start_stat.</summary>
    public static Errno Stat(int fd, out FileStatus status)
    {
        fixed (FileStatus* statusOut = &status)
        {
            return (Errno)(-dm_start_stat(null, fd, statusOut));
        }
    }

    /// <summary>See dm_start_private_directory.</summary>
    public static Errno MakePrivateDirectory(string path)
    {
        fixed (byte* pathBytes = Terminated(path)) return (Errno)(-dm_start_private_directory(pathBytes));
    }

    /// <summary>See dm_start_access.</summary>
    public static Errno Access(string path, FileAccess access)
    {
        fixed (byte* pathBytes = Terminated(path)) return (Errno)(-dm_start_access(pathBytes, (int)access));
    }

    /// <summary>isatty(3).</summary>
    public static bool IsTerminal(int fd) => IsATty(fd) != 0;

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int fd);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint EffectiveGroup();

    private static byte[] Terminated(string text) => [.. KernelText.ToBytes(text), 0];

    /// <summary>A NULL-terminated array of strings, which live until the end of the process: exec is near.</summary>
    private static byte*[] Strings(IEnumerable<string> texts)
    {
        string[] all = [.. texts];
        byte*[] pointers = new byte*[all.Length + 1];
        for (int i = 0; i < all.Length; i++)
        {
            byte[] bytes = Terminated(all[i]);
            byte* copy = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            bytes.CopyTo(new Span<byte>(copy, bytes.Length));
            pointers[i] = copy;
        }

        return pointers;
    }

    [LibraryImport(Library)]
    private static partial byte* dm_start_argument(int index);

    [LibraryImport(Library)]
    private static partial void dm_start_restore();

    [LibraryImport(Library)]
    private static partial int dm_start_exec(byte* path, int index, byte** environment);

    [LibraryImport(Library)]
    private static partial int dm_start_become(byte* path, byte** arguments, byte** environment, int keep);

    [LibraryImport(Library)]
    private static partial int dm_start_orphan(byte* path, byte** arguments, byte** environment, int* to, int* from);

    [LibraryImport(Library)]
    private static partial int dm_start_daemon(byte* path, byte** arguments, byte** environment, int* ready);

    [LibraryImport(Library)]
    private static partial int dm_start_stat(byte* path, int fd, FileStatus* status);

    [LibraryImport(Library)]
    private static partial int dm_start_private_directory(byte* path);

    [LibraryImport(Library)]
    private static partial int dm_start_access(byte* path, int mode);

    /// <summary>R_OK, W_OK and X_OK of access(2).</summary>
    [Flags]
    public enum FileAccess
    {
        Execute = 1,
        Write = 2,
        Read = 4,
    }
}
