using System;

namespace Dormouse.Runtime.Image;

/// <summary>The number that the linker has given to an ELF file: the note NT_GNU_BUILD_ID, elf(5).</summary>
internal static unsafe class BuildId
{
    public const int Bytes = 20; // SHA-1
    private const int SegmentTableOffset = 32, SegmentBytes = 56, SegmentCount = 56;
    private const uint NoteSegment = 4, BuildIdNote = 3;
    private const int NoteHeaderBytes = 12;

    /// <summary>Of the library that is mapped at <paramref name="start"/>; empty when it has none.</summary>
    public static ReadOnlySpan<byte> Of(ulong start)
    {
        byte* header = (byte*)start;
        byte* segments = header + *(ulong*)(header + SegmentTableOffset);
        for (int i = 0; i < *(ushort*)(header + SegmentCount); i++)
        {
            byte* segment = segments + (i * SegmentBytes);
            byte* note = header + *(ulong*)(segment + 16);
            if (*(uint*)segment == NoteSegment && *(uint*)(note + 8) == BuildIdNote && *(uint*)(note + 4) == Bytes)
            {
                return new ReadOnlySpan<byte>(note + NoteHeaderBytes + *(uint*)note, Bytes);
            }
        }

        return default;
    }
}
