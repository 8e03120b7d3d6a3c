// World: Guest and Frozen.
using System;
using System.Collections.Generic;
using Dormouse.Protocol.Image;

namespace Dormouse.Runtime.Interop;

/// <summary>Whole files and directories of /proc.</summary>
internal static unsafe class ProcFile
{
    private const int SmallBytes = 1024;

    /// <summary>A link to what <paramref name="fd"/> of the calling thread's own table refers to, which open(2) opens anew.</summary>
    public static string DescriptorPath(int fd) => "/proc/thread-self/fd/" + fd.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>All bytes of a file, or an empty array when it cannot be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="hintBytes">What it may have.</param>
    public static byte[] ReadAll(string path, int hintBytes = 8192)
    {
        int fd = Kernel.Open(path, Constant.O_RDONLY | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return [];
        }

        // Most files of /proc are small, and a process may have thousands of descriptors to read about.
        Span<byte> small = stackalloc byte[SmallBytes];
        int length = Fill(fd, small);
        byte[] all = length < SmallBytes ? small[..length].ToArray() : ReadRest(fd, small, Math.Max(hintBytes, 2 * SmallBytes));
        Kernel.Close(fd);
        return all;
    }

    private static byte[] ReadRest(int fd, ReadOnlySpan<byte> beginning, int hintBytes)
    {
        byte[] buffer = new byte[hintBytes];
        beginning.CopyTo(buffer);
        int length = beginning.Length;
        for (; ; )
        {
            length += Fill(fd, buffer.AsSpan(length));
            if (length < buffer.Length)
            {
                return buffer.AsSpan(0, length).ToArray();
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }
    }

    // Less only at the end of the file, or where it cannot be read.
    private static int Fill(int fd, Span<byte> buffer)
    {
        int length = 0;
        while (length < buffer.Length)
        {
            long got = Kernel.Read(fd, buffer[length..]);
            if (got <= 0 && got != -Errno.Interrupted)
            {
                break;
            }

            length += (int)Math.Max(got, 0);
        }

        return length;
    }

    /// <summary>The file as text without its last line end.</summary>
    public static string ReadText(string path) => KernelText.FromBytes(ReadAll(path)).TrimEnd('\n');

    /// <summary>NUL-separated strings: cmdline, environ.</summary>
    public static string[] ReadStrings(string path)
    {
        var strings = new List<string>();
        ReadOnlySpan<byte> rest = ReadAll(path);
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)0);
            strings.Add(KernelText.FromBytes(end < 0 ? rest : rest[..end]));
            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return strings.ToArray();
    }

    /// <summary>Names of a directory that are decimal numbers, ascending.</summary>
    public static List<int> Numbers(string path)
    {
        var numbers = new List<int>();
        int fd = Kernel.Open(path, Constant.O_RDONLY | Constant.O_DIRECTORY | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return numbers;
        }

        byte[] buffer = new byte[32768];
        fixed (byte* at = buffer)
        {
            long got;
            while ((got = Kernel.Call(SystemCall.GetDents64, fd, (long)at, buffer.Length)) > 0)
            {
                AddNumbers(buffer.AsSpan(0, (int)got), numbers);
            }
        }

        Kernel.Close(fd);
        numbers.Remove(IsDescriptorDirectory(path) && Shim.Self()->OwnsTable == 0 ? fd : -1);
        numbers.Sort();
        return numbers;
    }

    /// <summary>Fields of /proc/.../stat after the program's name; index 0 is field 3 (state) of proc(5).</summary>
    public static string[] StatFields(string path)
    {
        string text = ReadText(path);
        int end = text.LastIndexOf(')');
        return end < 0 ? [] : text[(end + 2)..].Split(' ');
    }

    private static bool IsDescriptorDirectory(string path) => path.EndsWith("/self/fd", StringComparison.Ordinal);

    private static void AddNumbers(ReadOnlySpan<byte> entries, List<int> numbers)
    {
        while (!entries.IsEmpty)
        {
            if (int.TryParse(DirectoryEntry.Take(ref entries).Name, System.Globalization.CultureInfo.InvariantCulture, out int number))
            {
                numbers.Add(number);
            }
        }
    }
}
