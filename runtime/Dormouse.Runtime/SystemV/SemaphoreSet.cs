// World: Frozen (find, capture), restored process (restore).
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>A set of semaphores: semget(2). What SEM_UNDO takes back when a process ends: <see cref="SemaphoreUndo"/>.</summary>
internal sealed unsafe class SemaphoreSet(int key, int id, int mode, int count, Claim claim) : SystemVObject("sem", key, id, mode, claim)
{
    private const int RemoveSet = 0, Stat = 2, GetPid = 11, GetAll = 13, SetAll = 17;
    private const int DescriptionWords = 16, CountWord = 10; // struct semid64_ds; the key comes first
    private readonly ushort[] _values = new ushort[count];

    protected override string Name => "semaphore set";

    /// <summary>key semid perms nsems uid gid cuid cgid otime ctime</summary>
    public static SemaphoreSet? Parse(long[] fields, SystemVClaim claims)
    {
        const int Count = 3, Creator = 6, Used = 8, Changed = 9;
        int id = (int)fields[1], count = (int)fields[Count];
        ReadOnlySpan<long> times = fields.AsSpan(Used..(Changed + 1));
        if (!claims.MayBeOurs(times))
        {
            return null;
        }

        int[] users = new int[count];
        for (int i = 0; i < count; i++)
        {
            users[i] = (int)Kernel.Call(SystemCall.SemCtl, id, i, GetPid);
            if (users[i] < 0)
            {
                return null; // not readable for us, so not ours
            }
        }

        Claim claim = claims.Of(users, (uint)fields[Creator], times);
        return claim == Claim.None ? null : new SemaphoreSet((int)fields[0], id, SystemVTable.Octal(fields[2]), count, claim);
    }

    public override void Capture() => Read(_values);

    protected override bool IsThere()
    {
        long* now = stackalloc long[DescriptionWords];
        return Kernel.Call(SystemCall.SemCtl, Id, 0, Stat, (long)now) >= 0 && (int)now[0] == KeyOfPrograms && now[CountWord] == _values.Length;
    }

    protected override bool HasContents()
    {
        ushort[] now = new ushort[_values.Length];
        Read(now);
        return now.AsSpan().SequenceEqual(_values);
    }

    protected override int Create() => (int)Kernel.Call(SystemCall.SemGet, KeyOfPrograms, _values.Length, CreateFlags);

    protected override void Remove(int id) => Kernel.Call(SystemCall.SemCtl, id, 0, RemoveSet);

    protected override void Fill()
    {
        fixed (ushort* values = _values)
        {
            Check(Kernel.Call(SystemCall.SemCtl, Id, 0, SetAll, (long)values));
        }
    }

    private void Read(ushort[] values)
    {
        fixed (ushort* at = values)
        {
            Kernel.Call(SystemCall.SemCtl, Id, 0, GetAll, (long)at);
        }
    }
}
