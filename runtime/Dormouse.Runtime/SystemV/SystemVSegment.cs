// World: Frozen (find), restored process (make, attach).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.SystemV;

/// <summary>A System V segment that can still be found by its id: shmget(2). One that is marked for removal can still be attached by
/// its id while somebody has it (UCX does), and is marked again.</summary>
internal sealed unsafe class SystemVSegment
{
    private const int Remove = 0, Set = 1, Stat = 2;
    private const int Create = 0x200, Exclusive = 0x400, ReadOnly = 0x1000, Execute = 0x8000, MarkedForRemoval = 0x200;
    private readonly int _id;
    private readonly Description _description;

    private SystemVSegment(int id, Description description)
    {
        _id = id;
        _description = description;
    }

    public ulong SizeBytes => _description.SizeBytes;

    /// <summary>struct shmid64_ds.</summary>
    private struct Description
    {
        public int Key;
        public uint Uid;
        public uint Gid;
        public uint CreatorUid;
        public uint CreatorGid;
        public uint Mode;
        public ulong Sequence;
        public fixed ulong Unused[2];
        public ulong SizeBytes;
        public fixed ulong Rest[8];
    }

    /// <summary>The segment behind a mapping, or null.</summary>
    public static SystemVSegment? Find(Mapping mapping)
    {
        Description description;
        return mapping.Name.StartsWith("/SYSV", StringComparison.Ordinal)
            && Kernel.Call(SystemCall.ShmCtl, (int)mapping.Inode, Stat, (long)&description) == 0
            ? new SystemVSegment((int)mapping.Inode, description)
            : null;
    }

    /// <summary>Makes it again, filled with what the restorer has put at the place of the mappings.</summary>
    /// <exception cref="CheckpointException">Id or key are taken.</exception>
    public void Make(List<Mapping> mappings)
    {
        const int RemovePages = 9; // MADV_REMOVE
        bool isOld = IsStillThere();
        if (!isOld)
        {
            MakeNew();
        }

        long at = Kernel.Call(SystemCall.ShmAt, _id, 0, 0);
        Check(at, "attach");
        if (isOld)
        {
            // Gives its pages back: written with zeros, all would be there, and in the next image.
            Check(Kernel.Call(SystemCall.MAdvise, at, (long)((SizeBytes + 4095) & ~4095ul), RemovePages), "empty");
        }

        foreach (Mapping mapping in mappings)
        {
            CopyPresentPages(mapping, (byte*)at);
        }

        Kernel.Call(SystemCall.ShmDt, at);
    }

    /// <summary>Puts it, or the part of it that the program had left, where it was.</summary>
    public void Attach(Mapping mapping)
    {
        const int MayMove = 1, Fixed = 2;
        bool isReadOnly = (mapping.Protection & Constant.PROT_WRITE) == 0 && !mapping.Has(" mw");
        bool isExecutable = (mapping.Protection & Constant.PROT_EXEC) != 0;
        long at = Kernel.Call(SystemCall.ShmAt, _id, 0, (isReadOnly ? ReadOnly : 0) | (isExecutable ? Execute : 0));
        Check(at, "attach");
        long part = at + (long)mapping.Offset;
        long whole = (long)((SizeBytes + 4095) & ~4095ul);
        Check(Kernel.Call(SystemCall.MRemap, part, (long)mapping.Bytes, (long)mapping.Bytes, MayMove | Fixed, (long)mapping.Start), "attach");
        Kernel.Call(SystemCall.MProtect, (long)mapping.Start, (long)mapping.Bytes, mapping.Protection);
        Unmap(at, part);
        Unmap(part + (long)mapping.Bytes, at + whole);
    }

    /// <summary>When all have attached it: in the state of removal that it was in.</summary>
    public void MarkForRemoval()
    {
        if ((_description.Mode & MarkedForRemoval) != 0)
        {
            Kernel.Call(SystemCall.ShmCtl, _id, Remove, 0);
        }
    }

    private static void Unmap(long from, long to)
    {
        if (from < to)
        {
            Kernel.Call(SystemCall.MUnmap, from, to - from);
        }
    }

    // Segments outlive their processes: without a namespace of its own, a restart finds the one of the process that was killed.
    private bool IsStillThere()
    {
        Description now;
        return Kernel.Call(SystemCall.ShmCtl, _id, Stat, (long)&now) == 0
            && now.Key == _description.Key && now.SizeBytes == SizeBytes && now.Mode == _description.Mode;
    }

    private void MakeNew()
    {
        int id = SystemVId.Create(
            "shm",
            _id,
            () => (int)Kernel.Call(SystemCall.ShmGet, _description.Key, (long)SizeBytes, (_description.Mode & 0x1FF) | Create | Exclusive),
            other => Kernel.Call(SystemCall.ShmCtl, other, Remove, 0));
        Check(id, "make");
        Description wanted = _description;
        Kernel.Call(SystemCall.ShmCtl, _id, Set, (long)&wanted);
    }

    private static void CopyPresentPages(Mapping mapping, byte* segment)
    {
        const ulong Page = 4096, Step = 64 << 20;
        byte[] resident = new byte[Step / Page];
        for (ulong start = mapping.Start; start < mapping.End; start += Step)
        {
            ulong bytes = Math.Min(Step, mapping.End - start);
            fixed (byte* pages = resident)
            {
                Kernel.Call(SystemCall.MInCore, (long)start, (long)bytes, (long)pages);
            }

            for (ulong i = 0; i < bytes / Page; i++)
            {
                if ((resident[i] & 1) != 0)
                {
                    ulong from = start + (i * Page);
                    Buffer.MemoryCopy((void*)from, segment + mapping.Offset + (from - mapping.Start), Page, Page);
                }
            }
        }
    }

    private void Check(long result, string what)
    {
        if (result is < 0 and > -4096)
        {
            throw new CheckpointException($"cannot {what} the System V shared memory {_id.ToString(CultureInfo.InvariantCulture)} (key 0x{_description.Key:x}) again: {Errno.Text(result)}. {SystemVId.Advice(result)}");
        }
    }
}
