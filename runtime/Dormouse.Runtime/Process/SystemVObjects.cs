// World: Frozen (capture), restored process (restore).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Process;

/// <summary>
/// System V semaphores and message queues: sysvipc(7). They belong to no process, so each process saves those that it was the last
/// to use: what it has made and nobody has used yet is not found.
/// </summary>
internal sealed unsafe class SystemVObjects
{
    private const int Stat = 2, DescriptionWords = 16; // struct semid64_ds, msqid64_ds; the key comes first
    private const int Remove = 0, Create = 0x200, Exclusive = 0x400, NoWait = 0x800;
    private readonly List<Semaphores> _semaphores = [];
    private readonly List<Queue> _queues = [];

    private sealed record Semaphores(int Key, int Id, int Mode, ushort[] Values);

    /// <param name="Messages">Type (8 bytes) and text of each.</param>
    private sealed record Queue(int Key, int Id, int Mode, List<byte[]> Messages);

    public static SystemVObjects Capture()
    {
        var objects = new SystemVObjects();
        foreach (string[] fields in Lines("sem"))
        {
            objects.AddSemaphores(Number(fields[0]), Number(fields[1]), Convert.ToInt32(fields[2], 8), Number(fields[3]));
        }

        foreach (string[] fields in Lines("msg"))
        {
            int sender = Number(fields[5]), receiver = Number(fields[6]);
            if (sender == Kernel.Pid || (receiver == Kernel.Pid && Kernel.Call(SystemCall.Kill, sender, 0) == -Errno.NoProcess))
            {
                objects.AddQueue(Number(fields[0]), Number(fields[1]), Convert.ToInt32(fields[2], 8), Number(fields[3]), Number(fields[4]));
            }
        }

        return objects;
    }

    /// <exception cref="CheckpointException">Key or id are taken.</exception>
    public void Restore()
    {
        foreach (Semaphores set in _semaphores)
        {
            Restore(set);
        }

        foreach (Queue queue in _queues)
        {
            Restore(queue);
        }
    }

    private void AddSemaphores(int key, int id, int mode, int count)
    {
        const int GetPid = 11, GetAll = 13;
        for (int i = 0; i < count; i++)
        {
            if (Kernel.Call(SystemCall.SemCtl, id, i, GetPid) == Kernel.Pid)
            {
                ushort[] values = new ushort[count];
                fixed (ushort* at = values)
                {
                    if (Kernel.Call(SystemCall.SemCtl, id, 0, GetAll, (long)at) == 0)
                    {
                        _semaphores.Add(new Semaphores(key, id, mode, values));
                    }
                }

                return;
            }
        }
    }

    // MSG_COPY leaves the message where it is; its number takes the place of the type: msgop(2).
    private void AddQueue(int key, int id, int mode, int bytes, int count)
    {
        const int Copy = 0x4000, TypeBytes = 8;
        var messages = new List<byte[]>();
        byte[] buffer = new byte[bytes + TypeBytes];
        for (int i = 0; i < count; i++)
        {
            fixed (byte* at = buffer)
            {
                long got = Kernel.Call(SystemCall.MsgRcv, id, (long)at, bytes, i, NoWait | Copy);
                if (got < 0)
                {
                    throw new CheckpointException($"cannot read the messages of the System V queue {id} (key 0x{key:x}): {Errno.Text(got)}.");
                }

                messages.Add(buffer[..(int)(got + TypeBytes)]);
            }
        }

        _queues.Add(new Queue(key, id, mode, messages));
    }

    // Another process may have made the set already, or, without a namespace of its own, it has outlived the killed ones.
    private static void Restore(Semaphores set)
    {
        const int SetAll = 17, NumberOfSemaphores = 10;
        long* now = stackalloc long[DescriptionWords];
        if (Kernel.Call(SystemCall.SemCtl, set.Id, 0, Stat, (long)now) < 0 || (int)now[0] != set.Key || now[NumberOfSemaphores] != set.Values.Length)
        {
            int id = SystemVId.Create(
                "sem",
                set.Id,
                () => (int)Kernel.Call(SystemCall.SemGet, set.Key, set.Values.Length, set.Mode | Create | Exclusive),
                other => Kernel.Call(SystemCall.SemCtl, other, 0, Remove));
            Check(id, "semaphores", set.Id, set.Key);
        }

        fixed (ushort* values = set.Values)
        {
            Check(Kernel.Call(SystemCall.SemCtl, set.Id, 0, SetAll, (long)values), "semaphores", set.Id, set.Key);
        }
    }

    private static void Restore(Queue queue)
    {
        const int NoError = 0x1000, Scratch = 8;
        byte* nothing = stackalloc byte[Scratch];
        long* now = stackalloc long[DescriptionWords];
        if (Kernel.Call(SystemCall.MsgCtl, queue.Id, Stat, (long)now) == 0 && (int)now[0] == queue.Key)
        {
            while (Kernel.Call(SystemCall.MsgRcv, queue.Id, (long)nothing, 0, 0, NoWait | NoError) >= 0)
            {
                // Left by the killed processes.
            }
        }
        else
        {
            int id = SystemVId.Create(
                "msg",
                queue.Id,
                () => (int)Kernel.Call(SystemCall.MsgGet, queue.Key, queue.Mode | Create | Exclusive),
                other => Kernel.Call(SystemCall.MsgCtl, other, Remove, 0));
            Check(id, "message queue", queue.Id, queue.Key);
        }

        foreach (byte[] message in queue.Messages)
        {
            fixed (byte* at = message)
            {
                Check(Kernel.Call(SystemCall.MsgSnd, queue.Id, (long)at, message.Length - 8, NoWait), "message queue", queue.Id, queue.Key);
            }
        }
    }

    private static void Check(long result, string what, int id, int key)
    {
        if (result < 0)
        {
            throw new CheckpointException($"cannot make the System V {what} {id} (key 0x{key:x}) again: {Errno.Text(result)}. Remove what is in its place (ipcs), or restart with --pod.");
        }
    }

    private static List<string[]> Lines(string kind)
    {
        var lines = new List<string[]>();
        string[] text = ProcFile.ReadText("/proc/sysvipc/" + kind).Split('\n');
        for (int i = 1; i < text.Length; i++)
        {
            string[] fields = text[i].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 10)
            {
                lines.Add(fields);
            }
        }

        return lines;
    }

    private static int Number(string text) => (int)long.Parse(text, CultureInfo.InvariantCulture);
}
