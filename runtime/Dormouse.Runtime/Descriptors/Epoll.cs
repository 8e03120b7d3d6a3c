// fdinfo: "tfd:        5 events:       19 data: 7f0000000005 pos:0 ino:61 sdev:7", fs/eventpoll.c.
using System;
using System.Collections.Generic;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>epoll(7): the interest list, made again when all other descriptors are in place.</summary>
internal sealed unsafe class Epoll(DescriptorInfo info) : AnonymousFile(info)
{
    private const int ControlAdd = 1;
    private readonly List<(int Fd, uint Events, ulong Data)> _interests = [];

    public override string Kind => "epoll";

    public override void Capture()
    {
        _interests.Clear();
        foreach (string line in Info.Details.Split('\n'))
        {
            if (line.StartsWith("tfd:", StringComparison.Ordinal))
            {
                string[] words = line.Replace(":", ": ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
                _interests.Add((
                    int.Parse(words[1], CultureInfo.InvariantCulture),
                    uint.Parse(words[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    ulong.Parse(words[5], NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
            }
        }
    }

    public override int Reopen() => (int)Kernel.Call(SystemCall.EpollCreate1, 0);

    public override void Finish()
    {
        byte* change = stackalloc byte[12]; // struct epoll_event is packed on x86-64
        foreach ((int fd, uint events, ulong data) in _interests)
        {
            *(uint*)change = events;
            *(ulong*)(change + 4) = data;
            Kernel.Call(SystemCall.EpollCtl, Descriptors[0].Fd, ControlAdd, fd, (long)change);
        }
    }
}
