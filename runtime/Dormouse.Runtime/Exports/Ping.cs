// World: Guest. The smallest call into C#: proves that the runtime starts, allocates, collects and unwinds here.

using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dormouse.Runtime.Exports;

internal static class Ping
{
    /// <summary>Allocates, forces a full collection and throws and catches an exception.</summary>
    /// <param name="value">Any number; also decides how much is allocated.</param>
    /// <returns><paramref name="value"/> + 1 when everything worked, -1 when something was lost.</returns>
    [UnmanagedCallersOnly(EntryPoint = "dm_managed_ping")]
    internal static int Run(int value)
    {
        try
        {
            int[][] kept = Fill(value & 0x3FF);
            GC.Collect();
            for (int i = 0; i < kept.Length; i++)
            {
                if (kept[i].Length != i || (i > 0 && kept[i][i - 1] != i))
                {
                    return -1;
                }
            }

            Throw(value);
            return -1;
        }
        catch (InvalidOperationException exception)
        {
            return exception.HResult;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int[][] Fill(int count)
    {
        int[][] rows = new int[count][];
        for (int i = 0; i < count; i++)
        {
            rows[i] = new int[i];
            if (i > 0)
            {
                rows[i][i - 1] = i;
            }
        }

        return rows;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(int value) => throw new InvalidOperationException("ping") { HResult = value + 1 };
}
