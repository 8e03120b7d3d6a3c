// World: Frozen.
using System;
using System.Buffers.Binary;
using System.Globalization;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Image;

/// <summary>struct dm_image_mm: where the kernel thinks code, data, heap, stack, arguments and environment are.</summary>
internal static class MemoryLayout
{
    private const int Brk = 12;

    // Index = field number of proc_pid_stat(5) less 3: startcode 26, endcode 27, startstack 28, start_data 45, end_data 46,
    // start_brk 47, arg_start 48, arg_end 49, env_start 50, env_end 51.
    public static void Write(ref HeaderWriter writer, uint exePath)
    {
        string[] stat = ProcFile.StatFields("/proc/self/stat");
        writer.UInt64s(Field(stat, 26), Field(stat, 27), Field(stat, 45), Field(stat, 46));
        writer.UInt64s(Field(stat, 47), (ulong)Kernel.Call(Brk, 0), Field(stat, 28));
        writer.UInt64s(Field(stat, 48), Field(stat, 49), Field(stat, 50), Field(stat, 51));
        byte[] auxv = ProcFile.ReadAll("/proc/self/auxv");
        int words = Math.Min(auxv.Length / sizeof(ulong), ImageLayout.AuxvWords);
        writer.UInt32s((uint)words, exePath);
        for (int i = 0; i < words; i++)
        {
            writer.UInt64s(BinaryPrimitives.ReadUInt64LittleEndian(auxv.AsSpan(i * sizeof(ulong))));
        }
    }

    private static ulong Field(string[] stat, int number) => ulong.Parse(stat[number - 3], CultureInfo.InvariantCulture);
}
