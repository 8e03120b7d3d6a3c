namespace Dormouse.Protocol.Image;

/// <summary>
/// What an image says about its process: who, where, when, its place in the process tree, and what it needs to wake.
/// dmrestart plans from it; <c>dmcommand --inspect</c> prints it. World: all.
/// </summary>
/// <remarks>
/// Little-endian: u32 format | fields in the order of <see cref="ManifestTag"/>, each u16 tag | u32 bytes | value.
/// A reader skips tags that it does not know and leaves fields that are missing at their defaults; the format number is
/// raised only when an old reader would go wrong.
/// Pids are those that the program sees. Texts are bytes of the kernel, see <see cref="KernelText"/>.
/// </remarks>
public sealed class ImageManifest
{
    /// <summary>The format that <see cref="Write"/> produces and <see cref="Read"/> takes.</summary>
    public const uint Format = 1;

    /// <summary>The same in all images of one computation.</summary>
    public ulong Computation { get; set; }

    /// <summary>Counts the checkpoints of the computation.</summary>
    public uint Generation { get; set; }

    /// <summary>How many images the generation has.</summary>
    public uint ImageCount { get; set; }

    /// <summary>The number of this process in the computation.</summary>
    public uint Member { get; set; }

    /// <summary>Name of the host at the checkpoint.</summary>
    public string HostName { get; set; } = "";

    /// <summary>Name of the host where the process began, which its program still takes for its own; empty: not known.</summary>
    public string FirstHostName { get; set; } = "";

    /// <summary>Boot id and PID namespace: processes with the same one share their PIDs.</summary>
    public string HostId { get; set; } = "";

    /// <summary>uname(2), release.</summary>
    public string KernelRelease { get; set; } = "";

    /// <summary>CLOCK_REALTIME at the checkpoint.</summary>
    public long RealtimeNanoseconds { get; set; }

    /// <summary>CLOCK_MONOTONIC at the checkpoint, as the program saw it.</summary>
    public long MonotonicNanoseconds { get; set; }

    /// <summary>CLOCK_BOOTTIME at the checkpoint, as the program saw it.</summary>
    public long BootTimeNanoseconds { get; set; }

    /// <summary>Process id.</summary>
    public int Pid { get; set; }

    /// <summary>Parent's process id; 1 (or the subreaper's) when the parent is gone.</summary>
    public int ParentPid { get; set; }

    /// <summary>Process group id.</summary>
    public int ProcessGroup { get; set; }

    /// <summary>Session id.</summary>
    public int Session { get; set; }

    /// <summary>All thread ids, the leader first.</summary>
    public int[] Threads { get; set; } = [];

    /// <summary>The name that the kernel shows (comm).</summary>
    public string Program { get; set; } = "";

    /// <summary>/proc/self/exe.</summary>
    public string ExePath { get; set; } = "";

    /// <summary>The arguments, the program's name first.</summary>
    public string[] CommandLine { get; set; } = [];

    /// <summary>Current directory.</summary>
    public string WorkingDirectory { get; set; } = "";

    /// <summary>Root directory; "/" unless changed by chroot(2).</summary>
    public string RootDirectory { get; set; } = "/";

    /// <summary>umask(2).</summary>
    public uint Umask { get; set; }

    /// <summary>User id.</summary>
    public uint Uid { get; set; }

    /// <summary>Group id.</summary>
    public uint Gid { get; set; }

    /// <summary>Supplementary groups.</summary>
    public uint[] Groups { get; set; } = [];

    /// <summary>What <see cref="Image.CpuFeatures.Read"/> gave.</summary>
    public uint[] CpuFeatures { get; set; } = [];

    /// <summary>Nice value, -20 to 19.</summary>
    public int Nice { get; set; }

    /// <summary>Whether orphaned descendants come to this process: PR_SET_CHILD_SUBREAPER.</summary>
    public bool IsChildSubreaper { get; set; }

    /// <summary>Device number of the controlling terminal as stat(2) gives it, or 0.</summary>
    public ulong ControllingTerminal { get; set; }

    /// <summary>Foreground process group of the controlling terminal, or 0.</summary>
    public int TerminalForegroundGroup { get; set; }

    /// <summary>Children that had ended and were not yet waited for, oldest first.</summary>
    public ZombieChild[] Zombies { get; set; } = [];

    /// <summary>Open descriptors, for people.</summary>
    public DescriptorNote[] Descriptors { get; set; } = [];

    /// <summary>Files that must be there, unchanged.</summary>
    public NeededFile[] NeededFiles { get; set; } = [];

    /// <summary>Sentences: what will not survive.</summary>
    public string[] Losses { get; set; } = [];

    /// <summary>The value of DORMOUSE_STDIO: which files dmlaunch's own standard streams were.</summary>
    public string LaunchStdio { get; set; } = "";

    /// <summary>What <see cref="Vdso.Fingerprint"/> gave for the kernel's code page, or 0: not known.</summary>
    public uint VdsoFingerprint { get; set; }

    /// <summary>Encodes the manifest.</summary>
    public byte[] Write()
    {
        var writer = new ManifestWriter();
        writer.UInt32(Format);
        writer.Field(ManifestTag.Computation, Computation);
        writer.Field(ManifestTag.Generation, Generation);
        writer.Field(ManifestTag.ImageCount, ImageCount);
        writer.Field(ManifestTag.Member, Member);
        writer.Field(ManifestTag.HostName, HostName);
        writer.Field(ManifestTag.FirstHostName, FirstHostName);
        writer.Field(ManifestTag.HostId, HostId);
        writer.Field(ManifestTag.KernelRelease, KernelRelease);
        writer.Field(ManifestTag.RealtimeNanoseconds, RealtimeNanoseconds);
        writer.Field(ManifestTag.MonotonicNanoseconds, MonotonicNanoseconds);
        writer.Field(ManifestTag.BootTimeNanoseconds, BootTimeNanoseconds);
        writer.Field(ManifestTag.Pid, Pid);
        writer.Field(ManifestTag.ParentPid, ParentPid);
        writer.Field(ManifestTag.ProcessGroup, ProcessGroup);
        writer.Field(ManifestTag.Session, Session);
        writer.Field(ManifestTag.Threads, Threads);
        writer.Field(ManifestTag.Program, Program);
        writer.Field(ManifestTag.ExePath, ExePath);
        writer.Field(ManifestTag.CommandLine, CommandLine);
        writer.Field(ManifestTag.WorkingDirectory, WorkingDirectory);
        writer.Field(ManifestTag.RootDirectory, RootDirectory);
        writer.Field(ManifestTag.Umask, Umask);
        writer.Field(ManifestTag.Uid, Uid);
        writer.Field(ManifestTag.Gid, Gid);
        writer.Field(ManifestTag.Groups, Groups);
        writer.Field(ManifestTag.CpuFeatures, CpuFeatures);
        writer.Field(ManifestTag.Nice, Nice);
        writer.Field(ManifestTag.IsChildSubreaper, IsChildSubreaper);
        writer.Field(ManifestTag.ControllingTerminal, ControllingTerminal);
        writer.Field(ManifestTag.TerminalForegroundGroup, TerminalForegroundGroup);
        WriteZombies(writer);
        WriteDescriptors(writer);
        WriteNeededFiles(writer);
        writer.Field(ManifestTag.Losses, Losses);
        writer.Field(ManifestTag.LaunchStdio, LaunchStdio);
        writer.Field(ManifestTag.VdsoFingerprint, VdsoFingerprint);
        return writer.Written.ToArray();
    }

    /// <summary>Decodes a manifest.</summary>
    /// <exception cref="ImageFormatException">The bytes are damaged or of an unknown format.</exception>
    public static ImageManifest Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ManifestReader(bytes);
        uint format = reader.UInt32();
        if (format != Format)
        {
            throw new ImageFormatException($"The manifest of the image has format {format}; this version reads format {Format}.");
        }

        var manifest = new ImageManifest();
        while (!reader.AtEnd)
        {
            ManifestReader value = reader.Field(out ManifestTag tag);
            manifest.ReadField(tag, ref value);
        }

        return manifest;
    }

    private void ReadField(ManifestTag tag, ref ManifestReader value)
    {
        switch (tag)
        {
            case ManifestTag.Computation: Computation = value.UInt64(); break;
            case ManifestTag.Generation: Generation = value.UInt32(); break;
            case ManifestTag.ImageCount: ImageCount = value.UInt32(); break;
            case ManifestTag.Member: Member = value.UInt32(); break;
            case ManifestTag.HostName: HostName = value.Text(); break;
            case ManifestTag.FirstHostName: FirstHostName = value.Text(); break;
            case ManifestTag.HostId: HostId = value.Text(); break;
            case ManifestTag.KernelRelease: KernelRelease = value.Text(); break;
            case ManifestTag.RealtimeNanoseconds: RealtimeNanoseconds = value.Int64(); break;
            case ManifestTag.MonotonicNanoseconds: MonotonicNanoseconds = value.Int64(); break;
            case ManifestTag.BootTimeNanoseconds: BootTimeNanoseconds = value.Int64(); break;
            case ManifestTag.Pid: Pid = value.Int32(); break;
            case ManifestTag.ParentPid: ParentPid = value.Int32(); break;
            case ManifestTag.ProcessGroup: ProcessGroup = value.Int32(); break;
            case ManifestTag.Session: Session = value.Int32(); break;
            case ManifestTag.Threads: Threads = value.Int32s(); break;
            case ManifestTag.Program: Program = value.Text(); break;
            case ManifestTag.ExePath: ExePath = value.Text(); break;
            case ManifestTag.CommandLine: CommandLine = value.Texts(); break;
            case ManifestTag.WorkingDirectory: WorkingDirectory = value.Text(); break;
            case ManifestTag.RootDirectory: RootDirectory = value.Text(); break;
            case ManifestTag.Umask: Umask = value.UInt32(); break;
            case ManifestTag.Uid: Uid = value.UInt32(); break;
            case ManifestTag.Gid: Gid = value.UInt32(); break;
            case ManifestTag.Groups: Groups = value.UInt32s(); break;
            case ManifestTag.CpuFeatures: CpuFeatures = value.UInt32s(); break;
            case ManifestTag.Nice: Nice = value.Int32(); break;
            case ManifestTag.IsChildSubreaper: IsChildSubreaper = value.Boolean(); break;
            case ManifestTag.ControllingTerminal: ControllingTerminal = value.UInt64(); break;
            case ManifestTag.TerminalForegroundGroup: TerminalForegroundGroup = value.Int32(); break;
            case ManifestTag.Zombies: Zombies = ReadZombies(ref value); break;
            case ManifestTag.Descriptors: Descriptors = ReadDescriptors(ref value); break;
            case ManifestTag.NeededFiles: NeededFiles = ReadNeededFiles(ref value); break;
            case ManifestTag.Losses: Losses = value.Texts(); break;
            case ManifestTag.LaunchStdio: LaunchStdio = value.Text(); break;
            case ManifestTag.VdsoFingerprint: VdsoFingerprint = value.UInt32(); break;
            default: break;
        }
    }

    private void WriteZombies(ManifestWriter writer)
    {
        writer.Begin(ManifestTag.Zombies);
        writer.UInt32((uint)Zombies.Length);
        foreach (ZombieChild zombie in Zombies)
        {
            writer.UInt32((uint)zombie.Pid);
            writer.UInt32((uint)zombie.WaitStatus);
            writer.UInt32((uint)zombie.ProcessGroup);
            writer.UInt32((uint)zombie.Session);
        }

        writer.End();
    }

    private static ZombieChild[] ReadZombies(ref ManifestReader reader)
    {
        var zombies = new ZombieChild[reader.Count(4 * sizeof(uint))];
        for (int index = 0; index < zombies.Length; index++)
        {
            zombies[index] = new ZombieChild(reader.Int32(), reader.Int32(), reader.Int32(), reader.Int32());
        }

        return zombies;
    }

    private void WriteDescriptors(ManifestWriter writer)
    {
        writer.Begin(ManifestTag.Descriptors);
        writer.UInt32((uint)Descriptors.Length);
        foreach (DescriptorNote descriptor in Descriptors)
        {
            writer.UInt32((uint)descriptor.Fd);
            writer.Text(descriptor.Kind);
            writer.Text(descriptor.Description);
        }

        writer.End();
    }

    private static DescriptorNote[] ReadDescriptors(ref ManifestReader reader)
    {
        var descriptors = new DescriptorNote[reader.Count(3 * sizeof(uint))];
        for (int index = 0; index < descriptors.Length; index++)
        {
            descriptors[index] = new DescriptorNote(reader.Int32(), reader.Text(), reader.Text());
        }

        return descriptors;
    }

    private void WriteNeededFiles(ManifestWriter writer)
    {
        writer.Begin(ManifestTag.NeededFiles);
        writer.UInt32((uint)NeededFiles.Length);
        foreach (NeededFile file in NeededFiles)
        {
            writer.Text(file.Path);
            writer.UInt64((ulong)file.SizeBytes);
            writer.UInt64((ulong)file.ModifiedNanoseconds);
            writer.Text(file.How);
        }

        writer.End();
    }

    private static NeededFile[] ReadNeededFiles(ref ManifestReader reader)
    {
        var files = new NeededFile[reader.Count((2 * sizeof(uint)) + (2 * sizeof(ulong)))];
        for (int index = 0; index < files.Length; index++)
        {
            files[index] = new NeededFile(reader.Text(), reader.Int64(), reader.Int64(), reader.Text());
        }

        return files;
    }
}
