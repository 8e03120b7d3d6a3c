using System.Runtime.InteropServices;

namespace Dormouse.Runtime.Interop;

/// <summary>What native-shim tells about itself: struct dm_self of native-shim/src/core.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ShimSelf
{
    public byte* Coordinator;
    public byte* Token;
    public byte* Stdio;
    public byte* Namespaces;
    public RestartInfo* RestartInfo;
    public ulong RestoredEntry;
    public ThreadSlot* Slot;
    public ulong FsBase;
    public uint LinkPlusOne;
    public uint Tid;
    public ulong Signature;
    public uint OwnsTable;
    public uint Padding;
    public ulong LibraryStart;
    public ulong LibraryEnd;
}

/// <summary>One exchange with the waiting loop in C: struct dm_step of native-shim/src/core.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Step
{
    public StepKind Kind;
    public int Descriptor;
    public int TimeoutMilliseconds;
    public int Result;
}

internal enum StepKind : uint
{
    /// <summary>Wait until the descriptor is readable or the timeout has passed.</summary>
    Readable = 0,

    /// <summary>fsync(2) the descriptor.</summary>
    Sync = 1,
}

/// <summary>struct dm_thread_slot of native-shim/include/dm_thread.h, 456 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ThreadSlot
{
    public uint State;
    public uint Tid;
    public uint Epoch;
    public uint Restored;
    public ulong FsBase;
    public ulong GsBase;
    public ulong RobustList;
    public ulong RobustListBytes;
    public ulong ClearChildTid;
    public ulong RseqArea;
    public ulong SignalMask;
    public ulong UserContext;
    public long CallNumber;
    public ulong CallPc;
    public long BlockedNanoseconds;
    public uint Cpu;
    public uint VoluntarySwitches;
    public fixed byte Name[16];
    public fixed byte Context[72];
    public fixed byte Attributes[248];
    public uint Request;
    public uint Argument;

    /// <summary>DM_SLOT_PARKED.</summary>
    public const uint Parked = 2;
}

/// <summary>struct dm_suspend_failure of native-shim/src/suspend.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SuspendFailure
{
    public uint Tid;
    public uint ZombieLeader;
    public long CallNumber;
}

/// <summary>struct dm_restart_info of native-shim/include/dm_image.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RestartInfo
{
    public uint Bytes;
    public uint Flags;
    public ulong RegionStart;
    public ulong RegionBytes;
    public ulong Session;
    public int ImageFd;
    public fixed int Stdio[3];
    public ushort Port;
    public fixed ushort Reserved[3];
    public fixed byte Token[32];
    public fixed byte Host[256];
    public fixed byte Library[256];
}

/// <summary>struct dm_write_plan of native-shim/src/writer.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WritePlan
{
    public int Fd;
    public uint Codec;
    public byte* Header;
    public byte* Vmas;
    public byte* Save;
    public ulong VmaCount;
    public byte* Extents;
    public ulong ExtentCapacity;
    public byte* Prepared;
    public ulong PreparedCount;
    public ulong FirstFree;
    public byte* Scratch;
    public ThreadSlot* Self;
    public ulong MemoryBytes;
    public ulong ImageBytes;

    /// <summary>DM_WRITE_SCRATCH_BYTES.</summary>
    public const int ScratchBytes = 2 << 20;
}

/// <summary>The functions of native-shim that C# calls; bound by the linker, see DirectPInvoke in the project file.</summary>
internal static unsafe partial class Shim
{
    private const string Library = "dormouse";

    [DllImport(Library, EntryPoint = "dm_self")]
    public static extern ShimSelf* Self();

    /// <summary>The raw system call: the result or -errno.</summary>
    [DllImport(Library, EntryPoint = "dm_raw_call")]
    public static extern long RawCall(long number, long a, long b, long c, long d, long e, long f);

    /// <summary>Reads many options of a socket; see native-shim/src/socket_options.h.</summary>
    [DllImport(Library, EntryPoint = "dm_socket_options_read")]
    [SuppressGCTransition]
    public static extern void ReadSocketOptions(int fd, Sockets.SocketOptionCall* calls, uint count, byte* values);

    /// <summary>Suspends all threads of the program; 0 or -errno, see native-shim/src/suspend.h.</summary>
    [DllImport(Library, EntryPoint = "dm_suspend")]
    public static extern int Suspend(uint deadlineMilliseconds, SuspendFailure* failure);

    [DllImport(Library, EntryPoint = "dm_suspended_slots")]
    public static extern ThreadSlot* SuspendedSlots(uint* count);

    /// <summary>What SEM_UNDO would take back, or -errno; see native-shim/src/sem_undo.h.</summary>
    [DllImport(Library, EntryPoint = "dm_sem_undo_list")]
    public static extern int SemaphoreUndoList(SystemV.SemaphoreAdjustment* list);

    /// <summary>See native-shim/src/socket_directories.h; null: not known.</summary>
    [DllImport(Library, EntryPoint = "dm_socket_directory")]
    public static extern byte* SocketDirectory(byte* name);

    [DllImport(Library, EntryPoint = "dm_sem_undo_since")]
    public static extern void SemaphoreUndoSince(long second);

    /// <summary>Every parked thread notes the signals that wait for it alone.</summary>
    [DllImport(Library, EntryPoint = "dm_capture_pending")]
    public static extern void CapturePending();

    /// <summary>Leaves the descriptor table to the program and takes only <paramref name="keep"/> along; 0 when that cannot be.</summary>
    [DllImport(Library, EntryPoint = "dm_table_leave_with")]
    public static extern uint LeaveTableWith(uint keep);

    /// <summary>Where old addresses are now, and the same for the environment of what is executed; see native-shim/src/old_addresses.h.</summary>
    [DllImport(Library, EntryPoint = "dm_addresses_set")]
    public static extern void SetAddresses(byte* table, byte* entry);

    /// <summary>The table that counts, or null.</summary>
    [DllImport(Library, EntryPoint = "dm_addresses_in_use")]
    public static extern byte* Addresses();

    [DllImport(Library, EntryPoint = "dm_address_to_now")]
    public static extern void AddressToNow(byte* address, ulong bytes, int protocol);

    [DllImport(Library, EntryPoint = "dm_address_to_shown")]
    public static extern void AddressToShown(byte* address, ulong bytes, int protocol, int isOwn);

    /// <summary>Not 0: the program has given up rights, and we have, too; see native-shim/src/privileges.h.</summary>
    [DllImport(Library, EntryPoint = "dm_privileges_are_given_up")]
    public static extern int PrivilegesAreGivenUp();

    /// <summary>Not 0: the program has given up rights, and we have not noticed.</summary>
    [DllImport(Library, EntryPoint = "dm_privileges_exceed_program")]
    public static extern int PrivilegesExceedProgram();

    /// <summary>Ends the rights that we have beyond the program while resources come back.</summary>
    [DllImport(Library, EntryPoint = "dm_privileges_give_up_again")]
    public static extern void GiveUpPrivilegesAgain();

    [DllImport(Library, EntryPoint = "dm_resume")]
    public static extern void Resume();

    [DllImport(Library, EntryPoint = "dm_await_restored")]
    public static extern int AwaitRestored(uint deadlineMilliseconds);

    /// <summary>What the program starts from now on belongs to this coordinator; see native-shim/src/membership.h.</summary>
    [DllImport(Library, EntryPoint = "dm_membership_change")]
    public static extern void ChangeMembership(byte* coordinator, byte* token, byte* stdio, byte* namespaces, byte* library);

    /// <summary>0 written, 1 restored, or -errno; returns twice, see native-shim/src/writer.h.</summary>
    [DllImport(Library, EntryPoint = "dm_image_write")]
    public static extern int WriteImage(WritePlan* plan);
}
