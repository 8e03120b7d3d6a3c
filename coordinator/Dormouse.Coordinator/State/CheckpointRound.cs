using Dormouse.Coordinator.Generations;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.State.Pairing;
using Dormouse.Protocol;
using Dormouse.Protocol.Programs;

namespace Dormouse.Coordinator.State;

/// <summary>One checkpoint.</summary>
internal sealed class CheckpointRound(Computation computation, Peer? client, CheckpointCommand command, string directory, uint generation)
    : Round(computation, client)
{
    private static readonly TimeSpan s_execPoll = TimeSpan.FromMilliseconds(5);

    /// <summary>Searched for before anybody stands still.</summary>
    private readonly List<Stranger> _strangers = StrangerSearch.Find(computation.Options.Token);
    private TimeSpan? _strangersAwaitedSince;
    private List<Member>? _participants;
    private EndPairing? _pairing;
    private CommitPlan? _plan;

    public uint Generation { get; } = generation;

    /// <summary>What was asked for.</summary>
    public CheckpointCommand Command => command;

    /// <summary>When it was begun for the first time; later than that it may have been postponed.</summary>
    public TimeSpan FirstTried { get; init; } = computation.Now;

    public string Directory { get; } = directory;

    public override bool IsRestart => false;

    /// <summary>Whoever is a member, until all stand still; from then on these.</summary>
    public override IReadOnlyCollection<Member> Participants => _participants is null ? Computation.Members : _participants;

    public override TimeSpan NextLook
        => Computation.Phase == Phase.Suspend && (Computation.Absentees.Count > 0 || _strangersAwaitedSince is not null) ? Computation.Now + s_execPoll : Timeout.InfiniteTimeSpan;

    /// <summary>A stopped process does nothing, whatever it is asked. Later it is no matter: one that stands still for us cannot be stopped.</summary>
    public override bool IsHopeless => Computation.Phase == Phase.Suspend
        && (Participants.Any(member => member.Progress == Progress.None && member.IsStopped)
            || Computation.Absentees.All.Any(absentee => absentee.Identity.IsStopped));

    public override void Entered(Phase phase)
    {
        switch (phase)
        {
            case Phase.Suspend:
                foreach (Member member in Participants) Joined(member);
                break;
            case Phase.Drain:
                _participants = [.. Computation.Members];
                Release(Phase.Suspend);
                break;
            case Phase.Write:
                Release(Phase.Drain);
                break;
            case Phase.Resume:
                Release(Phase.Write);
                break;
            case Phase.Commit:
                BeginCommit();
                break;
            case Phase.Running:
                Finish();
                break;
        }
    }

    public override void Joined(Member member)
    {
        member.BeginRound();
        member.Peer.Send(new CheckpointRequested(
            Computation.Epoch, Generation, Directory, command.Codec, command.KillAfter,
            (ushort)Math.Clamp(Computation.Options.Deadlines.Suspend.TotalSeconds, 1, ushort.MaxValue), command.KeepExternal));
    }

    public override void Look() => ConsiderSuspended();

    public override void AllFinished(Step step)
    {
        if (step == Step.Suspend) ConsiderSuspended();
        else if (step == Step.List) BeginPairing();
    }

    public override void Lost(Member member)
    {
        switch (Computation.Phase)
        {
            case Phase.Suspend when member.Progress == Progress.None:
                // It ended, or is in the middle of an exec and comes back: Absentees knows.
                ConsiderSuspended();
                break;
            case Phase.Resume or Phase.Commit when member.Progress == Progress.Committed:
                break;
            case Phase.Resume when member.Progress == Progress.Synced:
                // Its image is whole and on the disk; it ran again, and ended. BeginCommit looks after its renames.
                break;
            case Phase.Resume when member.Progress == Progress.Written && OrphanedImage.TryRescue(Directory, Computation.Epoch, member):
                // It ran again and ended before it could sync its image, as a process that lives for milliseconds does.
                Computation.Finished(member, Step.Sync);
                break;
            case Phase.Commit when member.Hello.HostName == OwnHost.Name:
                RenameFor(member);
                break;
            default:
                Computation.Fail(FailureKind.Failed, $"{member} ended while the checkpoint was in phase {Computation.Phase}.");
                break;
        }
    }

    public override void Failed(FailureKind failure, string reason)
    {
        CallOff(reason);
        Client?.Send(new CommandFailed(failure, reason));
    }

    /// <summary>Lets all members run on, without an image.</summary>
    public void CallOff(string reason)
    {
        if (_plan is not null) Computation.Store.Abandon(_plan);
        foreach (Member member in Computation.Members) member.Peer.Send(new Abort(Computation.Epoch, reason));
        TemporaryImages.Delete(Directory, Computation.Number);
    }

    public override IEnumerable<string> Missing()
    {
        foreach (string participant in Unfinished()) yield return participant;
        if (Computation.Phase != Phase.Suspend) yield break;
        foreach (Absentee absentee in Computation.Absentees.All) yield return absentee.ToString();
        foreach (Member member in Participants)
        {
            if (!member.LooksAgain) continue;
            foreach (int child in Computation.UnknownChildren(member))
                yield return $"pid {child}, a child of {member}, to join (static, setuid and 32-bit programs cannot)";
        }
    }

    /// <summary>All have said that they stand still. Is anybody left out?</summary>
    private void ConsiderSuspended()
    {
        if (Computation.Phase != Phase.Suspend) return;
        if (AwaitsStrangers()) return;
        Computation.Absentees.Forget();
        if (Computation.Absentees.Count > 0) return;
        if (Participants.Count == 0)
        {
            Computation.Fail(FailureKind.NothingAttached, Computation.Absentees.Late is { } late
                ? $"No process is attached to this coordinator; waited for {late}."
                : "All processes ended before they could be checkpointed.");
            return;
        }

        foreach (Member member in Participants)
        {
            if (member.Progress != Progress.Suspended || member.LooksAgain) return;
        }

        bool complete = true;
        foreach (Member member in Participants)
        {
            int[] unknown = Computation.UnknownChildren(member);
            if (unknown.Length == 0) continue;
            complete = false;
            member.LooksAgain = true;
            member.Peer.Send(new ChildrenUnknown(Computation.Epoch, unknown));
        }

        if (complete) Computation.Advance(Trigger.AllSuspended);
    }

    /// <summary>True while there are any; those that do not end by themselves soon end the checkpoint.</summary>
    private bool AwaitsStrangers()
    {
        _strangers.RemoveAll(stranger => !StrangerSearch.Remains(stranger));
        foreach (Absentee absentee in Computation.Absentees.All)
        {
            // What was to come back from its exec, or to start, may have become one just now.
            if (absentee.Identity.HostId == OwnHost.Id && !_strangers.Exists(stranger => stranger.Pid == absentee.Identity.Pid)
                && StrangerSearch.Find(absentee.Identity.Pid) is { } found)
                _strangers.Add(found);
        }

        if (_strangers.Count == 0)
        {
            _strangersAwaitedSince = null;
            return false;
        }

        TimeSpan since = _strangersAwaitedSince ??= Computation.Now;
        if (Computation.Now - since >= TimeSpan.FromMilliseconds(_strangers[0].PatienceMilliseconds))
            Computation.Fail(FailureKind.Failed, $"{OwnHost.Name}: {_strangers[0].Describe("")}");
        return true;
    }

    private void BeginPairing()
    {
        _pairing = new EndPairing(Participants, Computation.Epoch, Computation.KnownEnds, SendCandidates);
        _pairing.Begin();
    }

    /// <summary>What a member tells of ends of connections.</summary>
    public void Receive(Member member, in EndReports reports)
    {
        if (_pairing is null) throw new ProtocolException("Nobody has asked about connections.");
        _pairing.Receive(member, reports);
    }

    /// <summary>A member may not create its image by itself.</summary>
    /// <exception cref="ProtocolException">It wants another file.</exception>
    public void OpenImage(Member member, in ImageFileWanted wanted)
    {
        member.HasImageOfOurs = ImageOpener.TryOpenFor(member, wanted, Directory, Computation.Number);
        member.Peer.Send(new ImageFileSent(Computation.Epoch, member.HasImageOfOurs));
    }

    private void SendCandidates()
    {
        Sharing sharing = new(Participants);
        foreach (Member member in Participants)
        {
            if (_pairing!.NamesFor(member) is { Length: > 0 } names) member.Peer.Send(new NamedEnds(Computation.Epoch, names));
            member.Peer.Send(new Candidates(Computation.Epoch, (uint)Participants.Count, sharing.CandidatesOf(member)));
        }

        foreach (Member member in Participants) (member.Inventory, member.Ends) = ([], []);
    }

    private void BeginCommit()
    {
        _plan = Computation.Store.Plan(Generation, Participants, Computation.Clock.GetUtcNow());
        foreach (Member member in Participants)
        {
            if (Computation.Table.Contains(member) && !member.HasImageOfOurs) member.Peer.Send(new CommitImages(Computation.Epoch, [.. _plan.Of(member)]));
        }

        foreach (Member member in Participants)
        {
            if (Computation.Phase != Phase.Commit) break;
            if (member.HasImageOfOurs) RenameFor(member);
            else if (!Computation.Table.Contains(member)) Lost(member);
        }
    }

    /// <summary>Does the renames of a member that is gone, or may not do them.</summary>
    private void RenameFor(Member member)
    {
        try
        {
            ImageFiles.Rename(_plan!.Of(member));
            Computation.Finished(member, Step.Commit);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Computation.Fail(FailureKind.Failed, $"The image of {member} cannot be renamed for it: {problem.Message}");
        }
    }

    private void Finish()
    {
        GenerationStore store = Computation.Store;
        store.Commit(_plan!);
        Computation.SaveGenerations(this);
        store.DeleteOwnObsolete();
        TemporaryImages.Delete(Directory, Computation.Number);
        foreach (Member member in Computation.Members)
            member.Peer.Send(new CheckpointFinished(Computation.Epoch, Committed: true, command.KillAfter, store.TakeObsolete(member.Hello.HostName)));
        store.DeleteRemainingObsolete();

        if (command.KillAfter) Computation.Endings.Add(Client, quit: false, () => Report(Client));
        else Report(Client);
    }

    private void Report(Peer? client)
    {
        if (client is null) return;
        ulong standstill = 0;
        foreach ((Member member, StoredImage image) in Participants.Zip(_plan!.Generation.Images))
        {
            standstill = Math.Max(standstill, member.Image.StandstillMicroseconds);
            client.Send(new ImageReport(
                member.Id, member.Hello.HostName, member.Hello.Pid, member.Hello.Program, image.Path, member.Image.ImageBytes,
                member.Image.MemoryBytes, member.Image.StandstillMicroseconds, member.Image.Losses));
        }

        ulong duration = (ulong)(Computation.Now - FirstTried).TotalMicroseconds;
        client.Send(new CheckpointReport(Generation, (uint)Participants.Count, Directory, standstill, duration));
    }
}
