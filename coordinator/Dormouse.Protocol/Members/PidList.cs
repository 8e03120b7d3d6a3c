namespace Dormouse.Protocol;

/// <summary>u32 count, i32 pids.</summary>
internal static class PidList
{
    public static void Write(ref MessageWriter writer, int[] pids)
    {
        writer.WriteUInt32((uint)pids.Length);
        foreach (int pid in pids) writer.WriteInt32(pid);
    }

    public static int[] Read(ref MessageReader reader)
    {
        int[] pids = new int[reader.ReadCount(4)];
        for (int i = 0; i < pids.Length; i++) pids[i] = reader.ReadInt32();
        return pids;
    }
}
