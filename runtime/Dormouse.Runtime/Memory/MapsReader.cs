// World: Frozen. Allocates only managed memory.
using System;
using System.Collections.Generic;
using System.Globalization;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Memory;

/// <summary>Parses /proc/self/smaps: proc_pid_maps(5), fs/proc/task_mmu.c.</summary>
internal static class MapsReader
{
    public static List<Mapping> Read()
    {
        var mappings = new List<Mapping>();
        ReadOnlySpan<byte> rest = ProcFile.ReadAll("/proc/self/smaps");
        Mapping? current = null;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (line.IsEmpty)
            {
                continue;
            }

            if (line.StartsWith("VmFlags:"u8) && current is not null)
            {
                mappings.Add(current with { Flags = KernelText.FromBytes(line["VmFlags:".Length..]) });
                current = null;
            }
            else if (IsHexDigit(line[0]))
            {
                current = ParseHead(line);
            }
        }

        return mappings;
    }

    private static bool IsHexDigit(byte c) => c is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'f');

    // 7f0c8a000000-7f0c8a021000 rw-p 00000000 00:00 0          [name]
    private static Mapping ParseHead(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> range = Word(ref line);
        int dash = range.IndexOf((byte)'-');
        ReadOnlySpan<byte> permissions = Word(ref line);
        ReadOnlySpan<byte> offset = Word(ref line);
        ReadOnlySpan<byte> device = Word(ref line);
        ReadOnlySpan<byte> inode = Word(ref line);
        uint protection = (permissions[0] == 'r' ? 1u : 0) | (permissions[1] == 'w' ? 2u : 0) | (permissions[2] == 'x' ? 4u : 0);
        return new Mapping(
            Hex(range[..dash]), Hex(range[(dash + 1)..]), protection, permissions[3] == 's', Hex(offset),
            KernelText.FromBytes(device), ulong.Parse(inode, NumberStyles.None, CultureInfo.InvariantCulture), Unescape(line), "");
    }

    private static ReadOnlySpan<byte> Word(ref ReadOnlySpan<byte> line)
    {
        int end = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = end < 0 ? line : line[..end];
        line = end < 0 ? [] : line[end..].TrimStart((byte)' ');
        return word;
    }

    private static ulong Hex(ReadOnlySpan<byte> digits) => ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    // seq_path escapes a line feed as \012 and nothing else in maps.
    private static string Unescape(ReadOnlySpan<byte> name)
        => KernelText.FromBytes(name).Replace("\\012", "\n", StringComparison.Ordinal);
}
