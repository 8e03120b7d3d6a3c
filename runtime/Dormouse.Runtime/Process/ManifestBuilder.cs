// World: Frozen.
using System;
using System.Collections.Generic;
using System.Globalization;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime.Process;

/// <summary>Describes this process for dmrestart: its place in the tree, and what it is.</summary>
internal static unsafe class ManifestBuilder
{
    public static ImageManifest Build(ImageIdentity identity, ProcessAttributes attributes, List<Mapping> mappings)
    {
        string[] stat = ProcFile.StatFields("/proc/self/stat");
        return new ImageManifest
        {
            Computation = identity.Computation,
            Generation = identity.Generation,
            ImageCount = identity.ImageCount,
            Member = identity.Member,
            HostName = HostIdentity.Name,
            FirstHostName = ShownHost.Noted is { } shown ? shown.Names[0] : "",
            HostId = HostIdentity.Id,
            KernelRelease = ProcFile.ReadText("/proc/sys/kernel/osrelease"),
            RealtimeNanoseconds = Kernel.Clock(Constant.CLOCK_REALTIME),
            MonotonicNanoseconds = Kernel.Clock(Constant.CLOCK_MONOTONIC),
            BootTimeNanoseconds = Kernel.Clock(Constant.CLOCK_BOOTTIME),
            Pid = Kernel.Pid,
            ParentPid = Number(stat[1]),
            ProcessGroup = Number(stat[2]),
            Session = Number(stat[3]),
            ControllingTerminal = (ulong)Number(stat[4]),
            TerminalForegroundGroup = Number(stat[5]),
            Nice = Number(stat[16]),
            Threads = ThreadIds(),
            Program = ProcFile.ReadText("/proc/self/comm"),
            ExePath = (Kernel.ReadLink("/proc/self/exe") ?? "").Replace(" (deleted)", "", StringComparison.Ordinal),
            CommandLine = ProcFile.ReadStrings("/proc/self/cmdline"),
            WorkingDirectory = attributes.WorkingDirectory,
            RootDirectory = Kernel.ReadLink("/proc/self/root") ?? "/",
            Umask = (uint)attributes.Umask,
            Uid = (uint)Kernel.Call(SystemCall.GetUid),
            Gid = (uint)Kernel.Call(SystemCall.GetGid),
            Groups = Groups(),
            CpuFeatures = CpuFeatures.Read(),
            IsChildSubreaper = attributes.IsSubreaper,
            Zombies = Children.Zombies(),
            VdsoFingerprint = VdsoFingerprint(mappings),
        };
    }

    private static uint VdsoFingerprint(List<Mapping> mappings)
    {
        Mapping? vdso = mappings.Find(mapping => mapping.Name == "[vdso]");
        return vdso is null ? 0 : Vdso.Fingerprint(new ReadOnlySpan<byte>((void*)vdso.Start, (int)vdso.Bytes));
    }

    private static int Number(string field) => int.Parse(field, CultureInfo.InvariantCulture);

    private static int[] ThreadIds()
    {
        uint count;
        ThreadSlot* slots = Shim.SuspendedSlots(&count);
        int pid = Kernel.Pid;
        var ids = new List<int> { pid };
        for (uint i = 0; i < count; i++)
        {
            if (slots[i].State == ThreadSlot.Parked && slots[i].Tid != (uint)pid)
            {
                ids.Add((int)slots[i].Tid);
            }
        }

        ids.Add((int)Shim.Self()->Tid);
        return ids.ToArray();
    }

    private static uint[] Groups()
    {
        int count = (int)Kernel.Call(SystemCall.GetGroups, 0, 0);
        uint[] groups = new uint[Math.Max(count, 0)];
        fixed (uint* at = groups)
        {
            Kernel.Call(SystemCall.GetGroups, groups.Length, (long)at);
        }

        return groups;
    }
}
