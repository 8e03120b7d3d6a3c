// World: Frozen.
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>The lists /proc/sysvipc/{sem,msg,shm}: a line of headings, then a line of numbers for each object of the namespace.</summary>
/// <remarks>A host may have hundreds that are not ours, so nothing is made of a number but the number: ipc/{sem,msg,shm}.c, sysvipc_*_proc_show.</remarks>
internal static class SystemVTable
{
    private const int MostFields = 16;

    /// <returns>The numbers of each line, as they stand there: permissions are octal (<see cref="Octal"/>).</returns>
    public static List<long[]> Read(string kind)
    {
        var lines = new List<long[]>();
        ReadOnlySpan<byte> rest = ProcFile.ReadAll("/proc/sysvipc/" + kind, 64 << 10);
        rest = rest[(rest.IndexOf((byte)'\n') + 1)..];
        while (rest.IndexOf((byte)'\n') is >= 0 and int end)
        {
            lines.Add(Numbers(rest[..end]));
            rest = rest[(end + 1)..];
        }

        return lines;
    }

    /// <summary>The value of a number whose digits are octal ones.</summary>
    public static int Octal(long digits) => digits == 0 ? 0 : (Octal(digits / 10) << 3) | (int)(digits % 10);

    private static long[] Numbers(ReadOnlySpan<byte> line)
    {
        Span<long> numbers = stackalloc long[MostFields];
        int count = 0;
        for (int at = 0; at < line.Length && count < MostFields; at++)
        {
            if (line[at] == ' ')
            {
                continue;
            }

            bool isNegative = line[at] == '-';
            long value = 0;
            for (at += isNegative ? 1 : 0; at < line.Length && line[at] != ' '; at++)
            {
                value = (value * 10) + line[at] - '0';
            }

            numbers[count++] = isNegative ? -value : value;
        }

        return numbers[..count].ToArray();
    }
}
