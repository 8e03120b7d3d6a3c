using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>What a process of the plan is for: enum dm_node_kind of plan.h.</summary>
internal enum NodeKind : uint
{
    /// <summary>Not set.</summary>
    None = 0,

    /// <summary>Wakes from an image.</summary>
    Member = 1,

    /// <summary>Takes the place of a parent outside the computation.</summary>
    Standin = 2,

    /// <summary>Makes a session or group and ends before any program runs.</summary>
    Transient = 3,

    /// <summary>Ends with its recorded status before any program runs.</summary>
    Zombie = 4,
}

/// <summary>How a process is made: enum dm_node_flag of plan.h.</summary>
[Flags]
internal enum NodeFlags : uint
{
    /// <summary>Nothing special.</summary>
    None = 0,

    /// <summary>dmrestart ends when all of these have ended.</summary>
    Root = 1,

    /// <summary>Leads a session.</summary>
    LeadsSession = 2,

    /// <summary>Born before its creator made a session.</summary>
    BeforeSession = 4,

    /// <summary>Made by a child of its creator that ends at once, so that a subreaper becomes the parent.</summary>
    ViaIntermediate = 8,

    /// <summary>Some process belongs to the group with this one's number.</summary>
    MakesGroup = 16,

    /// <summary>Joins a group when all groups are made.</summary>
    JoinsGroup = 32,

    /// <summary>Made a group for others, and moves on when they have joined.</summary>
    MovesGroup = 64,

    /// <summary>Orphaned descendants come to this one.</summary>
    Subreaper = 128,

    /// <summary>The parent's number must come out right.</summary>
    CheckParent = 256,

    /// <summary>The session must come out right.</summary>
    CheckSession = 512,

    /// <summary>The group must come out right.</summary>
    CheckGroup = 1024,
}

/// <summary>A process that the restorer makes. Pids are those inside the pod.</summary>
internal sealed class ProcessNode(NodeKind kind, int pid)
{
    /// <summary>What it is for.</summary>
    public NodeKind Kind { get; } = kind;

    /// <summary>Its number.</summary>
    public int Pid { get; } = pid;

    /// <summary>How it is made.</summary>
    public NodeFlags Flags { get; set; }

    /// <summary>The parent that it had, or 0 when that does not matter.</summary>
    public int ParentPid { get; set; }

    /// <summary>The group that it had, or 0 when that does not matter.</summary>
    public int Group { get; set; }

    /// <summary>The session that it had, or 0 when that does not matter.</summary>
    public int Session { get; set; }

    /// <summary>The parent that it will have; null is the first process of the pod.</summary>
    public ProcessNode? Parent { get; set; }

    /// <summary>Who makes it; null is the first process of the pod.</summary>
    public ProcessNode? Creator { get; set; }

    /// <summary>How it ended, if it is a zombie.</summary>
    public int WaitStatus { get; set; }

    /// <summary>First of some numbers that nobody else has, or 0.</summary>
    public int SpareTid { get; set; }

    /// <summary>Threads that read its memory.</summary>
    public int Readers { get; set; } = 1;

    /// <summary>Name for messages.</summary>
    public string Program { get; set; } = "placeholder";

    /// <summary>What the image says, for a member.</summary>
    public ImageManifest? Manifest { get; init; }

    /// <summary>The image, for a member.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>Session right after birth, and group; set while the tree is built.</summary>
    internal int BirthSession { get; set; }

    /// <inheritdoc cref="BirthSession"/>
    internal int BirthGroup { get; set; }

    /// <summary>Session in the end, in the terms of <see cref="ProcessTree"/>.</summary>
    internal int FinalSession { get; set; }

    internal bool Has(NodeFlags flag) => (Flags & flag) != 0;
}
