// World: Frozen (find, capture), restored process (restore).
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>A message queue with its messages: msgget(2).</summary>
internal sealed unsafe class MessageQueue(int key, int id, int mode, int bytes, int count, Claim claim) : SystemVObject("msg", key, id, mode, claim)
{
    private const int RemoveQueue = 0, Set = 1, Stat = 2;
    private const int DescriptionWords = 15, LimitWord = 11, CountWord = 10, TypeBytes = 8; // struct msqid64_ds; the key comes first
    private readonly List<byte[]> _messages = [];
    private long _limitBytes;

    protected override string Name => "message queue";

    /// <summary>key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime</summary>
    public static MessageQueue? Parse(long[] fields, SystemVClaim claims)
    {
        const int Bytes = 3, Count = 4, Sender = 5, Receiver = 6, Creator = 9, Used = 11, Changed = 13;
        int[] users = [(int)fields[Sender], (int)fields[Receiver]];
        Claim claim = claims.Of(users, (uint)fields[Creator], fields.AsSpan(Used..(Changed + 1)));
        return claim == Claim.None
            ? null
            : new MessageQueue(
                (int)fields[0], (int)fields[1], SystemVTable.Octal(fields[2]),
                (int)fields[Bytes], (int)fields[Count], claim);
    }

    // MSG_COPY leaves the message where it is; its number takes the place of the type: msgop(2).
    public override void Capture()
    {
        const int Copy = 0x4000;
        long* description = stackalloc long[DescriptionWords];
        Kernel.Call(SystemCall.MsgCtl, Id, Stat, (long)description);
        _limitBytes = description[LimitWord];
        byte[] buffer = new byte[bytes + TypeBytes];
        for (int i = 0; i < count; i++)
        {
            fixed (byte* at = buffer)
            {
                long got = Kernel.Call(SystemCall.MsgRcv, Id, (long)at, bytes, i, NoWait | Copy);
                if (got < 0)
                {
                    throw new CheckpointException($"cannot read the messages of the System V queue {Number} (key 0x{KeyOfPrograms:x}): {Errno.Text(got)}. Let the program empty the queue first.");
                }

                _messages.Add(buffer[..(int)(got + TypeBytes)]);
            }
        }
    }

    protected override bool IsThere()
    {
        long* now = stackalloc long[DescriptionWords];
        return Kernel.Call(SystemCall.MsgCtl, Id, Stat, (long)now) == 0 && (int)now[0] == KeyOfPrograms;
    }

    protected override bool HasContents()
    {
        long* now = stackalloc long[DescriptionWords];
        Kernel.Call(SystemCall.MsgCtl, Id, Stat, (long)now);
        return now[CountWord] == count;
    }

    protected override int Create() => (int)Kernel.Call(SystemCall.MsgGet, KeyOfPrograms, CreateFlags);

    protected override void Remove(int id) => Kernel.Call(SystemCall.MsgCtl, id, RemoveQueue, 0);

    protected override void Fill()
    {
        const int NoError = 0x1000;
        long* description = stackalloc long[DescriptionWords];
        while (Kernel.Call(SystemCall.MsgRcv, Id, (long)description, 0, 0, NoWait | NoError) >= 0)
        {
            // Left by the killed processes.
        }

        if (Kernel.Call(SystemCall.MsgCtl, Id, Stat, (long)description) == 0 && description[LimitWord] != _limitBytes)
        {
            description[LimitWord] = _limitBytes;
            Kernel.Call(SystemCall.MsgCtl, Id, Set, (long)description);
        }

        foreach (byte[] message in _messages)
        {
            fixed (byte* at = message)
            {
                Check(Kernel.Call(SystemCall.MsgSnd, Id, (long)at, message.Length - TypeBytes, NoWait));
            }
        }
    }
}
