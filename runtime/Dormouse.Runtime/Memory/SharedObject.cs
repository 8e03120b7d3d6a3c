namespace Dormouse.Runtime.Memory;

/// <summary>One piece of memory that several mappings, of one or more processes, show: a file, or what has no name.</summary>
internal sealed class SharedObject(ResourceKey key, Mapping first)
{
    public ResourceKey Key => key;

    /// <summary>This process's mappings of it.</summary>
    public List<Mapping> Mappings { get; } = [first];

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

    /// <summary>After the restart: a descriptor of it, or -1.</summary>
    public int Descriptor { get; set; } = -1;

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
            foreach (Mapping mapping in Mappings)
            {
                if ((mapping.Protection & Interop.Constant.PROT_WRITE) != 0 || mapping.Has(" mw"))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
