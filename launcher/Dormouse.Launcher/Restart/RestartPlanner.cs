using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>From images and a host's abilities to a plan: which way, which trees, which numbers.</summary>
internal sealed class RestartPlanner
{
    private const int LowestHighDescriptor = 1000;
    private const int RestorersDescriptors = 16; // RESERVED_DESCRIPTORS of native-shim/restorer/main.c
    private const ulong BytesPerReader = 64ul << 20;

    /// <summary>The computation was often killed a moment ago, and some parents take their time to look at ended children.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);


    private readonly IReadOnlyList<ImageFile> _images;
    private readonly RestartOptions _options;
    private readonly HostAbilities _abilities;
    private readonly bool _inPod;
    private readonly bool _hasTerminal;

    /// <param name="images">All images of a generation.</param>
    /// <param name="options">What the user wants.</param>
    /// <param name="abilities">What the host allows.</param>
    /// <param name="hasTerminal">Whether this process has a controlling terminal.</param>
    public RestartPlanner(IReadOnlyList<ImageFile> images, RestartOptions options, HostAbilities abilities, bool hasTerminal)
    {
        _images = images;
        _options = options;
        _abilities = abilities;
        _hasTerminal = hasTerminal;
        _inPod = ChoosePod();
        Pods = MakePods();
    }

    /// <summary>The processes, by original host.</summary>
    public IReadOnlyList<PodPlan> Pods { get; }

    /// <summary>Which way is taken, in words.</summary>
    public string Way => CountsNumbers ? "without a pod, each when its number comes" : !_inPod ? "without a pod" : Pods.Count == 1 ? "in a pod" : $"in {Pods.Count} pods";

    private bool CountsNumbers => !_inPod && !_abilities.ExactIdsAllowed;

    /// <summary>The plan for the restorer.</summary>
    public RestartPlan PlanWith(CoordinatorContact coordinator, ulong session) => new()
    {
        Pods = Pods,
        InPod = _inPod,
        InUserNamespace = _inPod && _abilities.InUserNamespace,
        CountsNumbers = CountsNumbers,
        Coordinator = coordinator,
        Session = session,
        AcceptChangedFiles = _options.AcceptChangedFiles,
        Quiet = _options.Quiet,
        NamesHost = _options.IsCalledFromElsewhere,
        HighDescriptor = HighDescriptor(),
    };

    /// <summary>A random number for one run.</summary>
    public static ulong NewSession()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private bool ChoosePod()
    {
        if (_options.Pod != PodChoice.Never && _abilities.PodAllowed)
        {
            return true;
        }

        if (_options.Pod == PodChoice.Always)
        {
            throw new RestartException($"This host does not allow a pod: {_abilities.PodProblem}.");
        }

        string why = _options.Pod == PodChoice.Never ? "" : $"This host does not allow a pod ({_abilities.PodProblem}), and without one ";
        if (!_abilities.ExactIdsAllowed)
        {
            RefuseNumbersOfThePast(why);
        }

        long deadline = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        foreach (ImageFile image in _images)
        {
            foreach (ImageThread thread in image.Threads)
            {
                while (IsZombie(thread.Tid) && Environment.TickCount64 < deadline)
                {
                    Thread.Sleep(10);
                }

                if (!IsFree(thread.Tid))
                {
                    throw new RestartException($"{why}the number {thread.Tid} of {image.Manifest.Program} belongs to another process. Wait until that has ended, or use a pod.");
                }
            }
        }

        return false;
    }

    /// <summary>After its highest number the kernel goes on at 300 (RESERVED_PIDS in kernel/pid.c).</summary>
    private void RefuseNumbersOfThePast(string why)
    {
        const int Reserved = 300, LastNumberField = 4;
        int last = int.Parse(File.ReadAllText("/proc/loadavg").Split([' ', '\n'])[LastNumberField], CultureInfo.InvariantCulture);
        foreach (ImageFile image in _images)
        {
            if (Array.Find(image.Threads, thread => thread.Tid < Reserved && thread.Tid <= last) is { Tid: > 0 } first)
            {
                throw new RestartException($"{why}the number {first.Tid} of {image.Manifest.Program} cannot be had any more: the kernel gives those below {Reserved} only once, and you may not choose them ({_abilities.ExactIdsProblem}). Run dmrestart as root, or where pods are allowed.");
            }
        }
    }

    /// <summary>Whether the number belongs to a process that has ended and whose parent has not looked yet.</summary>
    private static bool IsZombie(int number)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{number}/stat");
            return stat[(stat.LastIndexOf(')') + 1)..].StartsWith(" Z", StringComparison.Ordinal);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsFree(int number) => !Directory.Exists($"/proc/{number}");

    private List<PodPlan> MakePods()
    {
        SortedDictionary<string, List<ImageFile>> byHost = new(StringComparer.Ordinal);
        foreach (ImageFile image in _images)
        {
            string host = _inPod ? image.Manifest.HostId : "";
            if (!byHost.TryGetValue(host, out List<ImageFile>? list))
            {
                byHost[host] = list = [];
            }

            list.Add(image);
        }

        List<PodPlan> pods = [];
        foreach (List<ImageFile> list in byHost.Values)
        {
            pods.Add(MakePod(list));
        }

        // dmrestart ends as the first member's root does.
        pods.Sort((left, right) => left.Tree.Roots[0].Manifest!.Member.CompareTo(right.Tree.Roots[0].Manifest!.Member));
        return pods;
    }

    private PodPlan MakePod(List<ImageFile> images)
    {
        var place = new TreePlace(_inPod, _hasTerminal, IsFree, RestartNative.SessionOf(0));
        ProcessTree tree = ProcessTree.Build(images.ConvertAll(image => image.Manifest), place);
        int idleProcessors = Math.Max(1, Environment.ProcessorCount / _images.Count);
        long monotonic = 0;
        long bootTime = 0;
        foreach (ImageFile image in images)
        {
            ProcessNode node = tree.Nodes.Find(candidate => candidate.Manifest == image.Manifest)!;
            node.ImagePath = Path.GetFullPath(image.Path);
            node.Readers = (int)Math.Clamp(image.Header.FileBytes / BytesPerReader, 1, (ulong)idleProcessors);
            monotonic = Math.Max(monotonic, image.Manifest.MonotonicNanoseconds);
            bootTime = Math.Max(bootTime, image.Manifest.BootTimeNanoseconds);
        }

        SpareNumbers.Assign(tree.Nodes, number => _inPod || IsFree(number), Preflight.PidLimit);
        return new PodPlan(tree, monotonic, bootTime);
    }

    private int HighDescriptor()
    {
        int highest = 0;
        string owner = "";
        foreach (ImageFile image in _images)
        {
            foreach (DescriptorNote descriptor in image.Manifest.Descriptors)
            {
                if (descriptor.Fd >= highest)
                {
                    highest = descriptor.Fd + 1;
                    owner = $"{image.Manifest.Program} (pid {image.Manifest.Pid})";
                }
            }
        }

        // Root may go above the hard limit.
        ulong limit = RestartNative.EffectiveUser() == 0 ? int.MaxValue : RestartNative.OpenFilesLimit();
        if ((ulong)highest + RestorersDescriptors > limit)
        {
            throw new RestartException($"{owner} has fd {highest - 1} open, and your hard limit of open files is {limit}. Raise it (ulimit -H -n {highest + RestorersDescriptors}, as root) and run dmrestart again. Nothing was changed.");
        }

        return Math.Max(highest, (int)Math.Min(LowestHighDescriptor, limit - RestorersDescriptors));
    }
}
