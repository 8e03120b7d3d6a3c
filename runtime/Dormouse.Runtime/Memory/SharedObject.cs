// World: Frozen (capture), restored process (make).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.SystemV;

namespace Dormouse.Runtime.Memory;

/// <summary>One piece of memory that several mappings, of one or more processes, show: a file, or what has no name.</summary>
/// <param name="key">The same in all processes.</param>
/// <param name="first">A mapping of it; of an open file that is not mapped, one without length.</param>
internal sealed class SharedObject(ResourceKey key, Mapping first)
{
    /// <summary>How the kernel spells the path of what memfd_create(2) makes.</summary>
    public const string MemoryFilePrefix = "/memfd:";
    private const int SealsOfUnsealable = 1; // F_SEAL_SEAL: made without MFD_ALLOW_SEALING
    private FileContents? _contents;

    public ResourceKey Key => key;

    /// <summary>This process's mappings of it.</summary>
    public List<Mapping> Mappings { get; } = first.Bytes == 0 ? [] : [first];

    public string Path => first.Path;

    public string Device => first.Device;

    public ulong Inode => first.Inode;

    /// <summary>Whether a file of this name must come back, rather than memory without a name.</summary>
    public bool HasName => first.IsFile && !first.IsDeleted && !first.Path.StartsWith("/dev/zero", StringComparison.Ordinal);

    /// <summary>What it is when it can be found by a System V id; else null.</summary>
    public SystemVSegment? Segment { get; } = SystemVSegment.Find(first);

    /// <summary>Of the file, or the highest byte that anybody maps; bytes.</summary>
    public ulong SizeBytes { get; set; }

    /// <summary>Whether any member can write to it through memory.</summary>
    public bool IsWritable { get; set; }

    /// <summary>The member that saves its contents and makes it again: the one that maps most of it.</summary>
    public uint Creator { get; set; }

    public List<uint> Sharers { get; } = [];

    /// <summary>F_GET_SEALS of a memfd that is open here.</summary>
    public int Seals { get; set; } = SealsOfUnsealable;

    /// <summary>Whether a descriptor of this process, open for writing, shows it.</summary>
    public bool IsOpenForWriting { get; set; }

    /// <summary>Length of the file when it is open here, bytes.</summary>
    public long OpenBytes { get; set; } = -1;

    /// <summary>After the restart: a descriptor of it, or -1.</summary>
    public int Descriptor { get; set; } = -1;

    /// <summary>How much of it this process can save: whole pages, plus 1 when it is mapped, which costs the image less.</summary>
    public ulong Claim
    {
        get
        {
            ulong open = (ulong)(Math.Max(OpenBytes, 0) + 4095) & ~4095ul;
            return Reach >= open && Mappings.Count != 0 ? Reach | 1 : Math.Max(open, Reach);
        }
    }

    /// <summary>A file whose contents come back with the other files, before it is mapped.</summary>
    public bool IsSavedAsFile { get; set; }

    /// <summary>Saved with all its pages, since those that are not in memory just now are on disk, not zero.</summary>
    public bool IsSavedWhole { get; set; }

    /// <summary>Called for each descriptor of it: saves what the mappings do not show, in the member that makes it again.</summary>
    public void CaptureThrough(NamelessFile file)
    {
        if (IsMadeHere && _contents is null && !Covers((ulong)Math.Max(OpenBytes, 0)))
        {
            _contents = RegularFile.ReadContents(file);
        }
    }

    /// <summary>Whether this process is the <see cref="Creator"/>.</summary>
    public bool IsMadeHere { get; set; }

    /// <summary>Makes it again, empty or with what <see cref="CaptureThrough"/> has saved; a descriptor for reading and writing, or -errno.</summary>
    public unsafe int Make()
    {
        const int CloseOnExec = 1, AllowSealing = 2;
        int fd;
        if (IsPlainMemory)
        {
            bool isMemoryFile = Path.StartsWith(MemoryFilePrefix, StringComparison.Ordinal);
            fixed (byte* name = Kernel.Terminated(isMemoryFile ? Path[MemoryFilePrefix.Length..] : "dormouse"))
            {
                fd = (int)Kernel.Call(SystemCall.MemFdCreate, (long)name, CloseOnExec | (Seals == SealsOfUnsealable ? 0 : AllowSealing));
            }
        }
        else
        {
            fd = UnlinkedFile.Make(Path, Constant.O_RDWR | Constant.O_CLOEXEC);
        }

        if (fd >= 0 && _contents is not null)
        {
            UnlinkedFile.Fill(fd, _contents, Path);
        }

        return fd;
    }

    private bool IsPlainMemory
        => Path.StartsWith(MemoryFilePrefix, StringComparison.Ordinal) || Path.StartsWith("/dev/zero", StringComparison.Ordinal)
            || Path.StartsWith("/SYSV", StringComparison.Ordinal) || Path.StartsWith("/anon_hugepage", StringComparison.Ordinal);

    /// <summary>Whether the mappings of this process show the first <paramref name="sizeBytes"/> bytes of it.</summary>
    public bool Covers(ulong sizeBytes)
    {
        ulong shown = 0;
        Mappings.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        foreach (Mapping mapping in Mappings)
        {
            shown = mapping.Offset <= shown ? Math.Max(shown, mapping.Offset + mapping.Bytes) : shown;
        }

        return shown >= sizeBytes;
    }

    /// <summary>End of the farthest mapping of this process, bytes into the object.</summary>
    public ulong Reach
    {
        get
        {
            ulong reach = 0;
            foreach (Mapping mapping in Mappings)
            {
                reach = Math.Max(reach, mapping.Offset + mapping.Bytes);
            }

            return reach;
        }
    }

    /// <summary>Whether it can be written to through one of this process's mappings, now or after mprotect(2): VmFlags "mw".</summary>
    public bool IsWritableHere
    {
        get
        {
            if (IsOpenForWriting)
            {
                return true;
            }

            foreach (Mapping mapping in Mappings)
            {
                if ((mapping.Protection & Constant.PROT_WRITE) != 0 || mapping.Has(" mw"))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
