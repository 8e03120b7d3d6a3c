// World: Frozen (find, capture), restored process (restore).
using System;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.SystemV;

/// <summary>A shared memory segment that nobody has attached just now: shmget(2). Attached ones are <see cref="SystemVSegment"/>.</summary>
internal sealed unsafe class LooseSegment(int key, int id, int mode, long bytes, Claim claim) : SystemVObject("shm", key, id, mode, claim)
{
    private const int RemoveSegment = 0, Stat = 2, ReadOnly = 0x1000;
    private const int DescriptionWords = 14, BytesWord = 6; // struct shmid64_ds; the key comes first
    private const ulong Page = 4096;
    private readonly List<(ulong Offset, Scratch Bytes)> _pages = [];

    protected override string Name => "shared memory";

    /// <summary>key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap</summary>
    public static LooseSegment? Parse(long[] fields, SystemVClaim claims)
    {
        const int Size = 3, Maker = 4, User = 5, Attached = 6, Creator = 9, Used = 11, Changed = 13;
        if (fields[Attached] != 0)
        {
            return null;
        }

        int[] users = [(int)fields[Maker], (int)fields[User]];
        Claim claim = claims.Of(users, (uint)fields[Creator], fields.AsSpan(Used..(Changed + 1)));
        return claim == Claim.None
            ? null
            : new LooseSegment(
                (int)fields[0], (int)fields[1], SystemVTable.Octal(fields[2]),
                fields[Size], claim);
    }

    /// <summary>Attaches it for a moment; pages that it does not have stay so.</summary>
    public override void Capture()
    {
        long at = Kernel.Call(SystemCall.ShmAt, Id, 0, ReadOnly);
        if (at is < 0 and > -4096)
        {
            throw new CheckpointException($"cannot read the System V shared memory {Number} (key 0x{KeyOfPrograms:x}): {Errno.Text(at)}. Remove it (ipcrm -m {Number}) when it is not needed.");
        }

        ulong pages = ((ulong)bytes + Page - 1) / Page;
        byte[] resident = new byte[pages];
        fixed (byte* answer = resident)
        {
            Kernel.Call(SystemCall.MInCore, at, (long)(pages * Page), (long)answer);
        }

        for (ulong page = 0, end; page < pages; page = end + 1)
        {
            for (end = page; end < pages && (resident[end] & 1) != 0; end++)
            {
            }

            if (end > page)
            {
                Scratch copy = CapturedMemory.Map((end - page) * Page);
                Buffer.MemoryCopy((void*)((ulong)at + (page * Page)), copy.Pointer, copy.Bytes, copy.Bytes);
                _pages.Add((page * Page, copy));
            }
        }

        Kernel.Call(SystemCall.ShmDt, at);
    }

    protected override bool IsThere()
    {
        long* now = stackalloc long[DescriptionWords];
        return Kernel.Call(SystemCall.ShmCtl, Id, Stat, (long)now) == 0 && (int)now[0] == KeyOfPrograms && now[BytesWord] == bytes;
    }

    protected override bool HasContents() => true; // nobody has attached it since, or he would be alive

    protected override int Create() => (int)Kernel.Call(SystemCall.ShmGet, KeyOfPrograms, bytes, CreateFlags);

    protected override void Remove(int id) => Kernel.Call(SystemCall.ShmCtl, id, RemoveSegment, 0);

    protected override void Fill()
    {
        long at = Kernel.Call(SystemCall.ShmAt, Id, 0, 0);
        Check(at is < 0 and > -4096 ? at : 0);
        new Span<byte>((void*)at, (int)Math.Min(bytes, int.MaxValue)).Clear();
        foreach ((ulong offset, Scratch copy) in _pages)
        {
            Buffer.MemoryCopy(copy.Pointer, (void*)((ulong)at + offset), copy.Bytes, copy.Bytes);
        }

        Kernel.Call(SystemCall.ShmDt, at);
    }
}
