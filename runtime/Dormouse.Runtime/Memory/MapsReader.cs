// World: Frozen. Allocates only managed memory.
using System;
using System.Buffers.Text;
using System.Collections.Generic;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Memory;

/// <summary>Parses /proc/self/maps and smaps: proc_pid_maps(5), fs/proc/task_mmu.c.</summary>
internal static class MapsReader
{
    // Room for the longest record: a path of 4095 bytes, each of which may be shown as four, and some 700 more.
    private const int BlockBytes = 32 << 10;

    public static List<Mapping> Read()
    {
        var mappings = new List<Mapping>();
        int fd = Kernel.Open("/proc/self/smaps", Constant.O_RDONLY | Constant.O_CLOEXEC);
        byte[] text = new byte[BlockBytes];
        int length = 0;
        for (long got; (got = Kernel.Read(fd, text.AsSpan(length))) > 0;)
        {
            length += (int)got;
            int taken = AddRecords(text.AsSpan(0, length), mappings);
            text.AsSpan(taken, length - taken).CopyTo(text);
            length -= taken;
        }

        Kernel.Close(fd);
        return mappings;
    }

    /// <summary>The mappings of now, also while the program runs and changes them.</summary>
    public static List<Mapping> ReadWithoutFlags()
    {
        var mappings = new List<Mapping>();
        ReadOnlySpan<byte> rest = ProcFile.ReadAll("/proc/self/maps");
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> line = Line(rest);
            mappings.Add(ParseHead(line));
            rest = rest[line.Length..].TrimStart((byte)'\n');
        }

        return mappings;
    }

    /// <summary>The mappings of now, with the flags that <paramref name="known"/> has for them while the program stands still.</summary>
    /// <remarks>smaps looks at every page of the process: 10 ms for a gigabyte. maps does not, and has no flags.</remarks>
    /// <param name="own">Memory of our own, whose flags do not matter.</param>
    public static List<Mapping> Read(List<Mapping> known, IReadOnlyList<Scratch> own)
    {
        List<Mapping> mappings = ReadWithoutFlags();
        int at = 0;
        for (int i = 0; i < mappings.Count; i++)
        {
            Mapping mapping = mappings[i];
            while (at < known.Count && known[at].Start < mapping.Start)
            {
                at++;
            }

            bool isSame = at < known.Count && known[at].IsSameAs(mapping);
            if (!isSame && !Overlaps(mapping, own))
            {
                return Read();
            }

            // Where the kernel has merged our memory with a neighbour, both have the same flags.
            bool isPartKnown = at < known.Count && known[at].Start < mapping.End;
            mappings[i] = isPartKnown ? mapping with { Flags = known[at].Flags, IsSwapped = known[at].IsSwapped } : mapping;
        }

        return mappings;
    }

    /// <returns>The bytes of all whole records: a line as in maps, some twenty of the form "Name: value", and VmFlags.</returns>
    private static int AddRecords(ReadOnlySpan<byte> text, List<Mapping> mappings)
    {
        ReadOnlySpan<byte> rest = text;
        while (rest.IndexOf("\nVmFlags:"u8) is >= 0 and int end)
        {
            ReadOnlySpan<byte> record = rest[..end], last = rest[(end + 1)..];
            int lineEnd = last.IndexOf((byte)'\n');
            if (lineEnd < 0)
            {
                break;
            }

            int swap = record.IndexOf("\nSwap:"u8);
            bool isSwapped = swap >= 0 && Line(record[(swap + 1)..]).IndexOfAnyInRange((byte)'1', (byte)'9') >= 0;
            mappings.Add(ParseHead(Line(record), KernelText.FromBytes(last["VmFlags:".Length..lineEnd]), isSwapped));
            rest = last[(lineEnd + 1)..];
        }

        return text.Length - rest.Length;
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

    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)'\n');
        return end < 0 ? text : text[..end];
    }

    // 7f0c8a000000-7f0c8a021000 rw-p 00000000 00:00 0          [name]
    private static Mapping ParseHead(ReadOnlySpan<byte> line, string flags = "", bool isSwapped = false)
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
            KernelText.FromBytes(device), Decimal(inode), Unescape(line), flags)
        {
            IsSwapped = isSwapped,
        };
    }

    private static ReadOnlySpan<byte> Word(ref ReadOnlySpan<byte> line)
    {
        int end = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = end < 0 ? line : line[..end];
        line = end < 0 ? [] : line[end..].TrimStart((byte)' ');
        return word;
    }

    private static ulong Hex(ReadOnlySpan<byte> digits) => Utf8Parser.TryParse(digits, out ulong value, out _, 'x') ? value : throw new FormatException();

    private static ulong Decimal(ReadOnlySpan<byte> digits) => Utf8Parser.TryParse(digits, out ulong value, out _) ? value : throw new FormatException();

    // seq_path escapes a line feed as \012 and nothing else in maps.
    private static string Unescape(ReadOnlySpan<byte> name)
        => KernelText.FromBytes(name).Replace("\\012", "\n", StringComparison.Ordinal);
}
