// World: Frozen. Allocates only managed memory.
using System;
using System.Collections.Generic;
using System.Globalization;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Memory;

/// <summary>Parses /proc/self/maps and smaps: proc_pid_maps(5), fs/proc/task_mmu.c.</summary>
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

            if (line.StartsWith("Swap:"u8) && current is not null)
            {
                current = current with { IsSwapped = line.IndexOfAnyInRange((byte)'1', (byte)'9') >= 0 };
            }
            else if (line.StartsWith("VmFlags:"u8) && current is not null)
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

    /// <summary>The mappings of now, with the flags that <paramref name="known"/> has for them while the program stands still.</summary>
    /// <remarks>smaps looks at every page of the process: 10 ms for a gigabyte. maps does not, and has no flags.</remarks>
    /// <param name="own">Memory of our own, whose flags do not matter.</param>
    public static List<Mapping> Read(List<Mapping> known, IReadOnlyList<Scratch> own)
    {
        var mappings = new List<Mapping>();
        ReadOnlySpan<byte> rest = ProcFile.ReadAll("/proc/self/maps");
        int at = 0;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            Mapping mapping = ParseHead(end < 0 ? rest : rest[..end]);
            rest = end < 0 ? [] : rest[(end + 1)..];
            while (at < known.Count && known[at].Start < mapping.Start)
            {
                at++;
            }

            bool isSame = at < known.Count && known[at] with { Flags = "", IsSwapped = false } == mapping;
            if (!isSame && !Overlaps(mapping, own))
            {
                return Read();
            }

            // Where the kernel has merged our memory with a neighbour, both have the same flags.
            bool isPartKnown = at < known.Count && known[at].Start < mapping.End;
            mappings.Add(isPartKnown ? mapping with { Flags = known[at].Flags, IsSwapped = known[at].IsSwapped } : mapping);
        }

        return mappings;
    }

    private static bool Overlaps(Mapping mapping, IReadOnlyList<Scratch> own)
    {
        foreach (Scratch scratch in own)
        {
            if (mapping.Start < scratch.Start + scratch.Bytes && mapping.End > scratch.Start)
            {
                return true;
            }
        }

        return false;
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
