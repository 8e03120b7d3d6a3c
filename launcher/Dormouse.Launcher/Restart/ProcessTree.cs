using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>Where the tree is to grow.</summary>
/// <param name="InPod">All numbers but 1 are free, and the first process is number 1.</param>
/// <param name="HasTerminal">dmrestart has a controlling terminal.</param>
/// <param name="IsFree">Whether a process id is free; asked only without a pod.</param>
/// <param name="OwnSession">dmrestart's session; used only without a pod.</param>
internal sealed record TreePlace(bool InPod, bool HasTerminal, Func<int, bool> IsFree, int OwnSession);

/// <summary>
/// Plans the processes of one original host: who makes whom, in which order, and who makes sessions and groups, so that every
/// number (pid, parent, group, session) comes out as it was. A pure function of the manifests.
/// </summary>
/// <remarks>
/// Linux gives a process its session at birth, from its creator, and lets it change that only by making one of its own.
/// So for each process a creator is looked for that has the right session at the right time: the parent after or before
/// its own setsid(2); or, for an orphan, the leader of that session by way of an intermediate; or a transient process with the
/// number of a leader that is gone. Groups are simpler: setpgid(2) works later, when everybody exists.
/// </remarks>
internal sealed class ProcessTree
{
    /// <summary>The session in which dmrestart itself is; inside a pod it has no number.</summary>
    private const int OutsideSession = 0;

    private const int FirstPid = 1;

    private readonly TreePlace _place;
    private readonly Dictionary<int, ProcessNode> _byPid = [];
    private readonly List<ProcessNode> _wanted = [];
    private readonly HashSet<ProcessNode> _started = [];
    private readonly HashSet<int> _outsideSessions = [];
    private int _terminalSession = -1;

    private ProcessTree(TreePlace place) => _place = place;

    /// <summary>All processes, creators before those that they make.</summary>
    public List<ProcessNode> Nodes { get; } = [];

    /// <summary>Whether the first process stays in dmrestart's session.</summary>
    public bool KeepsSession { get; private set; }

    /// <summary>The group to be put into the foreground of dmrestart's terminal, or 0.</summary>
    public int ForegroundGroup { get; private set; }

    /// <summary>Whether the computation goes on at dmrestart's terminal.</summary>
    public bool UsesTerminal => _terminalSession >= 0;

    /// <summary>Roots in the order of their member numbers.</summary>
    public List<ProcessNode> Roots { get; } = [];

    /// <summary>Plans the tree.</summary>
    /// <exception cref="RestartException">The processes cannot be placed; one sentence.</exception>
    public static ProcessTree Build(IReadOnlyList<ImageManifest> members, TreePlace place)
    {
        var tree = new ProcessTree(place);
        tree.AddMembers(members);
        tree.FindRoots();
        tree.ChooseOutsideSessions();
        tree.LinkParents();
        tree.ChooseBirthSessions();
        foreach (ProcessNode node in tree._wanted.ToArray())
        {
            tree.Place(node);
        }

        tree.PlanGroups();
        tree.ChooseForeground();
        return tree;
    }

    private void AddMembers(IReadOnlyList<ImageManifest> members)
    {
        var ordered = new List<ImageManifest>(members);
        ordered.Sort((left, right) => left.Member.CompareTo(right.Member));
        foreach (ImageManifest manifest in ordered)
        {
            if (manifest.Pid == FirstPid && _place.InPod)
            {
                throw new RestartException($"{manifest.Program} was process 1 of its container, which is not supported yet.");
            }

            Add(new ProcessNode(NodeKind.Member, manifest.Pid)
            {
                Manifest = manifest,
                Program = manifest.Program,
                ParentPid = manifest.ParentPid,
                Group = manifest.ProcessGroup,
                Session = manifest.Session,
                Flags = manifest.IsChildSubreaper ? NodeFlags.Subreaper : NodeFlags.None,
            });
        }

        foreach (ImageManifest manifest in ordered)
        {
            foreach (ZombieChild zombie in manifest.Zombies)
            {
                Add(new ProcessNode(NodeKind.Zombie, zombie.Pid)
                {
                    Program = "ended process",
                    ParentPid = manifest.Pid,
                    Group = zombie.ProcessGroup,
                    Session = zombie.Session,
                    WaitStatus = zombie.WaitStatus,
                });
            }
        }
    }

    private void Add(ProcessNode node)
    {
        if (!_byPid.TryAdd(node.Pid, node))
        {
            throw new RestartException(
                $"Two processes have the number {node.Pid} ({_byPid[node.Pid].Program} and {node.Program}): the images are not from one host.");
        }

        _wanted.Add(node);
    }

    /// <summary>A root is what somebody outside started. Orphans (parent 1) are roots only when nobody else is.</summary>
    private void FindRoots()
    {
        foreach (ProcessNode node in _wanted)
        {
            if (node.Kind == NodeKind.Member && node.ParentPid != FirstPid && !_byPid.ContainsKey(node.ParentPid))
            {
                Roots.Add(node);
            }
        }

        if (Roots.Count == 0)
        {
            ProcessNode? first = _wanted.Find(node => node.Kind == NodeKind.Member && !_byPid.ContainsKey(node.ParentPid));
            Roots.Add(first ?? throw new RestartException("The parents of the processes form a circle: the images are damaged."));
        }

        foreach (ProcessNode root in Roots)
        {
            root.Flags |= NodeFlags.Root;
        }
    }

    /// <summary>Decides which sessions from outside the computation become dmrestart's own.</summary>
    private void ChooseOutsideSessions()
    {
        ImageManifest first = Roots[0].Manifest!;
        // The leader may be outside, a shell, or the launched program itself, as "ssh -t host dmlaunch program" makes it.
        bool isLaunchs = !IsLedByNode(first.Session) || (first.Session == Roots[0].Pid && IsAtOutsideTerminal(first));
        if (_place.HasTerminal && first.ControllingTerminal != 0 && isLaunchs)
        {
            _terminalSession = first.Session;
            _outsideSessions.Add(first.Session);
        }

        foreach (ProcessNode node in _wanted)
        {
            int session = node.Session;
            if (session == 0 || (!_place.InPod && !IsLedByNode(session) && (session == _place.OwnSession || !_place.IsFree(session))))
            {
                _outsideSessions.Add(session);
            }
        }

        KeepsSession = _outsideSessions.Count > 0 || !_place.InPod;
        if (KeepsSession)
        {
            // Nobody can make a session number 1 then: the first process has not made one.
            _outsideSessions.Add(FirstPid);
        }

        foreach (ProcessNode node in _wanted)
        {
            node.FinalSession = _outsideSessions.Contains(node.Session) ? OutsideSession : node.Session;
        }
    }

    // Else the terminal is one of the computation's own.
    private static bool IsAtOutsideTerminal(ImageManifest manifest) => Array.Exists(manifest.Descriptors, note => note.Kind == "terminal");

    private bool IsLedByNode(int session) => _byPid.TryGetValue(session, out ProcessNode? leader) && leader.Session == session;

    private int SessionOfFirst => KeepsSession ? OutsideSession : FirstPid;

    private void LinkParents()
    {
        foreach (ProcessNode node in _wanted.ToArray())
        {
            if (_byPid.TryGetValue(node.ParentPid, out ProcessNode? parent) && parent.Kind is NodeKind.Member or NodeKind.Standin)
            {
                node.Parent = parent;
                node.Flags |= NodeFlags.CheckParent;
            }
            else if (node.ParentPid == FirstPid)
            {
                node.Flags |= _place.InPod ? NodeFlags.CheckParent : NodeFlags.None;
            }
            else if (node.ParentPid > FirstPid && IsFree(node.ParentPid))
            {
                node.Parent = AddStandin(node);
                node.Flags |= NodeFlags.CheckParent;
            }
        }
    }

    private bool IsFree(int pid) => pid > FirstPid && !_byPid.ContainsKey(pid) && (_place.InPod || _place.IsFree(pid));

    /// <summary>A parent that lives outside: in the session of its child, unless it must lead one.</summary>
    private ProcessNode AddStandin(ProcessNode child)
    {
        int pid = child.ParentPid;
        bool leads = _wanted.Exists(node => node.FinalSession == pid);
        var standin = new ProcessNode(NodeKind.Standin, pid)
        {
            Program = "outside parent",
            FinalSession = leads ? pid : child.FinalSession == child.Pid ? SessionOfFirst : child.FinalSession,
        };
        Add(standin);
        return standin;
    }

    /// <summary>
    /// Who makes a session of its own was born in another. That matters when a child still is in it.
    /// </summary>
    private void ChooseBirthSessions()
    {
        foreach (ProcessNode node in _wanted)
        {
            if (node.FinalSession != node.Pid)
            {
                node.BirthSession = node.FinalSession;
                continue;
            }

            node.Flags |= NodeFlags.LeadsSession;
            node.BirthSession = -1;
            foreach (ProcessNode child in _wanted)
            {
                if (child.Parent == node && child.FinalSession != node.Pid && child.FinalSession != child.Pid)
                {
                    node.BirthSession = child.FinalSession;
                    break;
                }
            }
        }
    }

    private void Place(ProcessNode node)
    {
        if (Nodes.Contains(node))
        {
            return;
        }

        if (!_started.Add(node))
        {
            throw new RestartException($"The place of {node.Program} (pid {node.Pid}) in the process tree cannot be made again: its parents and sessions form a circle.");
        }

        if (node.Parent is { } parent)
        {
            Place(parent);
        }

        ChooseCreator(node);
        node.BirthGroup = node.Creator switch
        {
            null => SessionOfFirst,
            { } creator when creator.Has(NodeFlags.LeadsSession) && !node.Has(NodeFlags.BeforeSession) => creator.Pid,
            { } creator => creator.BirthGroup,
        };
        Nodes.Add(node);
    }

    private void ChooseCreator(ProcessNode node)
    {
        ProcessNode? parent = node.Parent;
        node.Creator = parent;
        if (node.BirthSession < 0)
        {
            node.BirthSession = parent?.FinalSession ?? SessionOfFirst;
            return;
        }

        int session = node.BirthSession;
        if (session == (parent?.FinalSession ?? SessionOfFirst))
        {
            return;
        }

        if (parent is not null && parent.Has(NodeFlags.LeadsSession) && parent.BirthSession == session)
        {
            node.Flags |= NodeFlags.BeforeSession;
            return;
        }

        if (parent is { Kind: NodeKind.Standin })
        {
            // A child in a foreign session was not born to it: somebody outside takes orphans over.
            parent.Flags |= NodeFlags.Subreaper;
        }

        if (parent is not null && !parent.Has(NodeFlags.Subreaper))
        {
            throw new RestartException(
                $"{node.Program} (pid {node.Pid}) is in session {session}, which neither it nor its parent {parent.Pid} can have made: not supported yet.");
        }

        UseLeader(node, session);
    }

    /// <summary>An orphan: its session comes from the leader, its parent is the subreaper that took it over.</summary>
    private void UseLeader(ProcessNode node, int session)
    {
        if (session == OutsideSession)
        {
            // Only a first process that stays outside can pass on the outside session.
            throw new RestartException($"{node.Program} (pid {node.Pid}) is in a session outside of the computation that its parent is not in: not supported yet.");
        }

        if (_byPid.TryGetValue(session, out ProcessNode? leader))
        {
            Place(leader);
            node.Creator = leader;
            node.Flags |= leader.Kind is NodeKind.Transient or NodeKind.Zombie ? NodeFlags.None : NodeFlags.ViaIntermediate;
            return;
        }

        node.Creator = AddGoneLeader(node.Parent, session);
    }

    /// <summary>A leader that has ended: it comes back, makes what belongs to its session, and ends again.</summary>
    private ProcessNode AddGoneLeader(ProcessNode? parent, int session)
    {
        var leader = new ProcessNode(NodeKind.Transient, session)
        {
            Program = "session leader",
            Parent = parent,
            Creator = parent,
            FinalSession = session,
            BirthSession = parent?.FinalSession ?? SessionOfFirst,
            BirthGroup = parent is null ? SessionOfFirst : parent.Has(NodeFlags.LeadsSession) ? parent.Pid : parent.BirthGroup,
            Flags = NodeFlags.LeadsSession,
        };
        Add(leader);
        _started.Add(leader);
        Nodes.Add(leader);
        return leader;
    }

    private void PlanGroups()
    {
        foreach (ProcessNode node in Nodes.ToArray())
        {
            if (node.Kind is NodeKind.Member or NodeKind.Zombie)
            {
                PlanGroup(node);
            }
        }

        foreach (ProcessNode node in Nodes)
        {
            bool exactSession = node.Session != 0 && (node.FinalSession == node.Session || (!_place.InPod && node.Session == _place.OwnSession));
            node.Flags |= exactSession ? NodeFlags.CheckSession : NodeFlags.None;
            if (node.Has(NodeFlags.MakesGroup) && node.Has(NodeFlags.JoinsGroup))
            {
                node.Flags = (node.Flags & ~NodeFlags.JoinsGroup) | NodeFlags.MovesGroup;
            }
        }
    }

    private void PlanGroup(ProcessNode node)
    {
        int group = node.Group;
        int present = node.Has(NodeFlags.LeadsSession) ? node.Pid : node.BirthGroup;
        if (group == present)
        {
            node.Flags |= group != OutsideSession ? NodeFlags.CheckGroup : NodeFlags.None;
            return;
        }

        if (group <= FirstPid || node.Has(NodeFlags.LeadsSession))
        {
            return;
        }

        if (group == node.Pid)
        {
            node.Flags |= NodeFlags.MakesGroup | NodeFlags.CheckGroup;
            return;
        }

        if (_byPid.TryGetValue(group, out ProcessNode? leader))
        {
            if (leader.FinalSession != node.FinalSession)
            {
                return;
            }

            leader.Flags |= leader.Has(NodeFlags.LeadsSession) ? NodeFlags.None : NodeFlags.MakesGroup;
        }
        else if (_place.InPod || _place.IsFree(group))
        {
            AddGoneGroup(node);
        }
        else
        {
            return;
        }

        node.Flags |= NodeFlags.JoinsGroup | NodeFlags.CheckGroup;
    }

    /// <summary>A group whose leader has ended or is outside: somebody has to have its number for a moment.</summary>
    private void AddGoneGroup(ProcessNode node)
    {
        var leader = new ProcessNode(NodeKind.Transient, node.Group)
        {
            Program = "group leader",
            Parent = node,
            Creator = node,
            FinalSession = node.FinalSession,
            BirthSession = node.FinalSession,
            BirthGroup = node.Has(NodeFlags.LeadsSession) ? node.Pid : node.BirthGroup,
            Flags = NodeFlags.MakesGroup,
        };
        Add(leader);
        Nodes.Add(leader);
    }

    /// <summary>The group that had the terminal gets it again; when it was outside, the first root's does.</summary>
    private void ChooseForeground()
    {
        if (!UsesTerminal)
        {
            return;
        }

        ImageManifest first = Roots[0].Manifest!;
        ProcessNode? foreground = Nodes.Find(node => node.Group == first.TerminalForegroundGroup && IsAtTerminal(node))
            ?? (IsAtTerminal(Roots[0]) ? Roots[0] : null);
        ForegroundGroup = foreground?.Group ?? 0;
    }

    private static bool IsAtTerminal(ProcessNode node)
        => node.Kind == NodeKind.Member && node.FinalSession == OutsideSession && node.Has(NodeFlags.CheckGroup) && node.Group > FirstPid;
}
