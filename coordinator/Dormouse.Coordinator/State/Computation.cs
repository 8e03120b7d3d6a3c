using Dormouse.Coordinator.Generations;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.Logging;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.State;

/// <summary>
/// The members of a computation and the phase they are in. Knows no sockets and no time but what it is given: the server calls
/// <see cref="Join"/>, <see cref="Receive"/>, <see cref="Lost"/> and <see cref="Tick"/>, from one thread.
/// </summary>
internal sealed class Computation(CoordinatorOptions options, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan s_firstWarning = TimeSpan.FromSeconds(2);

    private readonly SortedDictionary<uint, Member> _members = [];
    private readonly Dictionary<Peer, Member> _byPeer = [];
    private readonly Dictionary<ProcessIdentity, Member> _byIdentity = [];
    private readonly List<Newcomer> _waiting = [];
    private readonly List<Ending> _endings = [];
    private readonly Dictionary<ProcessIdentity, Departure> _departed = [];
    private readonly Dictionary<Peer, ProcessIdentity> _commands = [];
    private uint _nextMember = options.FirstMember;
    private Round? _round;
    private TimeSpan _phaseSince;
    private TimeSpan _nextWarning = Timeout.InfiniteTimeSpan;
    private TimeSpan _nextPeriodic = Timeout.InfiniteTimeSpan;
    private TimeSpan _interval;
    private string _directory = options.Directory;

    public CoordinatorOptions Options { get; } = options;

    public TimeProvider Clock { get; } = clock;

    public GenerationStore Store { get; } = new(OwnHost.Name, options.KeepGenerations);

    /// <summary>The number of the computation.</summary>
    public ulong Number { get; private set; } = options.Computation != 0 ? options.Computation : RandomBytes.TakeUInt64();

    public Phase Phase { get; private set; }

    /// <summary>Number of the current checkpoint or restart, or of the last one.</summary>
    public uint Epoch { get; private set; }

    /// <summary>Ascending by number.</summary>
    public IReadOnlyCollection<Member> Members => _members.Values;

    /// <summary>Processes whose connection is gone though they live: they are in an exec, or have left for good.</summary>
    public IReadOnlyCollection<MemberHello> Departed => [.. _departed.Values.Select(departure => departure.Hello)];

    /// <summary>A member or command said that the coordinator should end.</summary>
    public bool QuitRequested { get; private set; }

    /// <summary>Somebody was a member once.</summary>
    public bool WasUsed { get; private set; }

    /// <summary>Monotonic.</summary>
    public TimeSpan Now => Clock.GetElapsedTime(0);

    /// <summary>When <see cref="Tick"/> must be called; infinite (negative): not before something else happens.</summary>
    public TimeSpan NextTick
    {
        get
        {
            TimeSpan next = Timeout.InfiniteTimeSpan;
            Consider(_nextPeriodic);
            foreach (Ending ending in _endings) Consider(ending.Deadline);
            if (_round is not null)
            {
                Consider(_nextWarning);
                Consider(PhaseDeadline);
                Consider(_round.NextLook);
            }

            return next;

            void Consider(TimeSpan time)
            {
                if (time >= TimeSpan.Zero && (next < TimeSpan.Zero || time < next)) next = time;
            }
        }
    }

    private TimeSpan PhaseDeadline
    {
        get
        {
            TimeSpan limit = Options.Deadlines.Of(Phase, _round is { IsRestart: true });
            return limit < TimeSpan.Zero ? limit : _phaseSince + limit;
        }
    }

    /// <summary>Starts the clock of periodic checkpoints; to be called once.</summary>
    public void Start()
    {
        _interval = Options.Interval;
        if (Options.Computation != 0) Store.Adopt(_directory, Number, 0);
        ScheduleNext();
    }

    /// <summary>A peer that knows the token wants to be a member. It is answered now, or when the checkpoint under way is over.</summary>
    public void Join(Peer peer, in MemberHello hello, byte[] proof)
    {
        Newcomer newcomer = new(peer, hello, proof);
        if (_commands.ContainsValue(new ProcessIdentity(hello.HostId, hello.Pid))) Refuse(newcomer, "A command of Dormouse is no member.");
        else if ((hello.Flags & MemberFlags.Restarted) != 0) JoinRestarted(newcomer);
        else if (_round is null || (!_round.IsRestart && Phase == Phase.Suspend)) Admit(newcomer);
        else _waiting.Add(newcomer);
    }

    /// <summary>Who a command is, so that it is not taken for a lost child of a member, nor for a member: one that waits for a checkpoint
    /// should not be in it.</summary>
    public void Introduce(Peer peer, in CommandHello hello)
    {
        ProcessIdentity identity = new(hello.HostId, hello.Pid);
        _commands[peer] = identity;
        if (!_byIdentity.TryGetValue(identity, out Member? member) || member.Progress != Progress.None) return;
        member.Peer.CloseWhenSent();
        Remove(member);
        _round?.Lost(member);
    }

    /// <summary>A message of a member or a command.</summary>
    /// <exception cref="ProtocolException">It may not send that, or not now.</exception>
    public void Receive(Peer peer, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (!_byPeer.TryGetValue(peer, out Member? member)) return;
        switch (kind)
        {
            case FrameKind.Suspended:
                Suspended suspended = Frame.Read<Suspended>(payload);
                if (!IsCurrent(suspended.Epoch)) return;
                member.Children = suspended.Children;
                if (member.LooksAgain)
                {
                    member.LooksAgain = false;
                    _round?.AllFinished(Step.Suspend);
                }
                else
                {
                    Finished(member, Step.Suspend);
                }

                break;
            case FrameKind.Inventory:
                Inventory inventory = Frame.Read<Inventory>(payload);
                if (!IsCurrent(inventory.Epoch)) return;
                member.Inventory = inventory.Items;
                Finished(member, Step.List);
                break;
            case FrameKind.BarrierReached:
                BarrierReached reached = Frame.Read<BarrierReached>(payload);
                if (IsCurrent(reached.Epoch)) Finished(member, Step.OfBarrier(reached.Phase));
                break;
            case FrameKind.ImageWritten:
                ImageWritten image = Frame.Read<ImageWritten>(payload);
                if (!IsCurrent(image.Epoch)) return;
                CheckNames(image);
                member.Image = image;
                Finished(member, Step.Sync);
                break;
            case FrameKind.CommitDone:
                if (IsCurrent(Frame.Read<CommitDone>(payload).Epoch)) Finished(member, Step.Commit);
                break;
            case FrameKind.CheckpointFailed:
                CheckpointFailed failed = Frame.Read<CheckpointFailed>(payload);
                if (IsCurrent(failed.Epoch)) Fail(FailureKind.Failed, Attribute(member, failed.Reason));
                break;
            case FrameKind.RestartFailed:
                RestartFailed restart = Frame.Read<RestartFailed>(payload);
                if (_round is { IsRestart: true }) Fail(FailureKind.Failed, Attribute(member, restart.Reason));
                break;
            default:
                throw new ProtocolException($"A member does not send {kind}.");
        }
    }

    /// <summary>The connection of a member or a command is gone.</summary>
    public void Lost(Peer peer)
    {
        _commands.Remove(peer);
        _waiting.RemoveAll(newcomer => newcomer.Peer == peer);
        foreach (Ending ending in _endings) if (ending.Client == peer) ending.Client = null;
        if (_round?.Client == peer) _round.ClientLost();
        if (_byPeer.TryGetValue(peer, out Member? member)) Lose(member);
    }

    /// <summary>Does what is due.</summary>
    public void Tick()
    {
        TimeSpan now = Now;
        if (_round is not null && IsDue(_round.NextLook, now + TimeSpan.FromMilliseconds(5))) _round.Look();
        if (_round is not null && IsDue(_nextWarning, now))
        {
            BarrierLog.BarrierWaits(logger, Epoch, Phase, (now - _phaseSince).TotalSeconds, WaitingFor());
            _nextWarning = now + (now - _phaseSince);
        }

        if (_round is not null && IsDue(PhaseDeadline, now))
            Fail(FailureKind.Failed, $"Waited {(now - _phaseSince).TotalSeconds:0} s for {WaitingFor()}.");

        EndEndings();
        if (IsDue(_nextPeriodic, now))
        {
            ScheduleNext();
            if (_round is null && _members.Count > 0) BeginCheckpoint(null, new CheckpointCommand(Options.Codec, KillAfter: false, ""));
        }
    }

    public void BeginCheckpoint(Peer? client, in CheckpointCommand command)
    {
        if (IsBusy(out string? why))
        {
            client?.Send(new CommandFailed(FailureKind.Busy, why));
            return;
        }

        if (_members.Count == 0)
        {
            client?.Send(new CommandFailed(FailureKind.NothingAttached, "No process is attached to this coordinator. Start one with dmlaunch."));
            return;
        }

        ForgetOldDepartures();
        Epoch++;
        string directory = command.Directory.Length > 0 ? command.Directory : _directory;
        CheckpointRound round = new(this, client, command, directory, Store.TakeNumber());
        _round = round;
        CheckpointLog.CheckpointStarted(logger, Epoch, round.Generation, _members.Count, directory);
        Advance(Trigger.CheckpointRequested);
    }

    public void BeginRestart(Peer client, in RestartBegin request)
    {
        if (IsBusy(out string? why))
        {
            client.Send(new CommandFailed(FailureKind.Busy, why));
        }
        else if (_members.Count > 0)
        {
            client.Send(new CommandFailed(FailureKind.Busy,
                $"{_members.Count} processes are attached to this coordinator. End them first (dmcommand --kill) or use another coordinator (--new-coordinator)."));
        }
        else if (request.ImageCount == 0)
        {
            client.Send(new CommandFailed(FailureKind.Failed, "A restart needs at least one image."));
        }
        else
        {
            if (Number != request.Computation) Store.Clear();
            Number = request.Computation;
            Store.Adopt(_directory, Number, request.Generation);
            _departed.Clear();
            Epoch++;
            _round = new RestartRound(this, client, request);
            CheckpointLog.RestartStarted(logger, Epoch, Number, request.Generation, request.ImageCount, request.Session);
            Advance(Trigger.RestartRequested);
        }
    }

    /// <summary>Ends all members; calls <paramref name="whenDone"/> when their connections are gone, if the client still listens.</summary>
    public void WhenAllEnded(Peer? client, bool quit, Action whenDone)
    {
        _endings.Add(new Ending(client, quit, Now + Options.Deadlines.Kill, whenDone));
        EndEndings();
    }

    /// <summary>Asks all members to end.</summary>
    public void Kill(Peer client, bool quit)
    {
        CheckpointLog.KillStarted(logger, Epoch, _members.Count, quit);
        foreach (Member member in _members.Values) member.Peer.Send(default(KillRequested));
        foreach (Newcomer newcomer in _waiting) newcomer.Peer.CloseWhenSent();
        WhenAllEnded(client, quit, () => client.Send(default(CommandDone)));
    }

    public void SetInterval(TimeSpan interval)
    {
        _interval = interval;
        ScheduleNext();
    }

    public void SetDirectory(string directory) => _directory = directory;

    public StatusReport Status() => new(
        Number, (uint)_members.Count, Phase, Epoch, Store.Newest, (uint)_interval.TotalSeconds, _directory, OwnHost.Name,
        Environment.ProcessId, _round is null ? "" : WaitingFor());

    /// <summary>Enters the next phase and does what begins it.</summary>
    public void Advance(Trigger trigger)
    {
        Phase from = Phase;
        Phase = PhaseMachine.Next(from, trigger);
        TimeSpan now = Now;
        BarrierLog.PhaseEntered(logger, Epoch, Phase, from, _members.Count, (now - _phaseSince).TotalMilliseconds);
        _phaseSince = now;
        _nextWarning = now + s_firstWarning;
        Round round = _round ?? throw new InvalidOperationException($"{trigger} without a round.");
        if (Phase == Phase.Running) EndRound();
        round.Entered(Phase);
        if (Phase == Phase.Running) AdmitWaiting();
    }

    /// <summary>Gives up the current checkpoint or restart.</summary>
    public void Fail(FailureKind failure, string reason)
    {
        if (_round is not { } round) return;
        CheckpointLog.RoundFailed(logger, Epoch, Phase, reason);
        Phase = PhaseMachine.Next(Phase, Trigger.Failed);
        EndRound();
        round.Failed(failure, reason);
        AdmitWaiting();
    }

    /// <summary>A participant has finished a step.</summary>
    /// <exception cref="ProtocolException">It was not to do that now.</exception>
    public void Finished(Member member, Step step)
    {
        if (Phase != step.Phase || member.Progress != step.Before)
            throw new ProtocolException($"{member} claims {step.After} in phase {Phase}, after {member.Progress}.");
        member.Progress = step.After;
        Consider(step);
    }

    /// <summary>Goes on when all participants have finished this step.</summary>
    public void Consider(Step step)
    {
        if (_round is not { } round || Phase != step.Phase) return;
        foreach (Member participant in round.Participants)
        {
            if (participant.Progress < step.After) return;
        }

        if (step.WhenAll is { } trigger && step != Step.Suspend) Advance(trigger);
        else round.AllFinished(step);
    }

    public bool IsMember(Member member) => _members.TryGetValue(member.Id, out Member? known) && known == member;

    /// <summary>Children of this member that are neither members nor commands.</summary>
    public int[] UnknownChildren(Member member)
    {
        List<int> unknown = [];
        foreach (int child in member.Children)
        {
            ProcessIdentity identity = new(member.Hello.HostId, child);
            if (!_byIdentity.ContainsKey(identity) && !_commands.ContainsValue(identity)) unknown.Add(child);
        }

        return [.. unknown];
    }

    /// <summary>Drops those who have ended from <see cref="Departed"/>, and those who had time enough to come back.</summary>
    public void ForgetEndedDepartures()
    {
        foreach ((ProcessIdentity identity, Departure departure) in _departed.ToArray())
        {
            if (Now > departure.At + Options.Deadlines.Exec || !LocalProcess.IsAlive(departure.Hello.Pid, departure.Hello.StartTime))
                _departed.Remove(identity);
        }
    }

    public void ForgetMembers()
    {
        _members.Clear();
        _byPeer.Clear();
        _byIdentity.Clear();
    }

    /// <summary>Writes the list of generations, after a commit.</summary>
    public void SaveGenerations(CheckpointRound round)
    {
        string directory = round.Directory;
        CheckpointLog.GenerationCommitted(logger, Epoch, round.Generation, round.Participants.Count, (Now - round.StartedAt).TotalMilliseconds);
        try
        {
            Store.Save(directory, Number);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The directory may be on the members' hosts only; images say themselves what they belong to.
            CheckpointLog.ManifestNotWritten(logger, Epoch, directory, problem.Message);
        }
    }

    private static bool IsDue(TimeSpan time, TimeSpan now) => time >= TimeSpan.Zero && time <= now;

    private static void CheckNames(in ImageWritten image)
    {
        if (!Path.IsPathRooted(image.TemporaryPath) || image.FinalName.Length == 0 || image.FinalName.Contains('/'))
            throw new ProtocolException("An image has an impossible name.");
    }

    /// <summary>A reason with the process that gave it, should it not say so itself.</summary>
    private static string Attribute(Member member, string reason)
        => reason.Contains($"pid {member.Hello.Pid}", StringComparison.Ordinal) ? reason : $"{member}: {reason}";

    /// <summary>Whether a message belongs to the checkpoint under way. Late messages of one that was given up cross with its abort.</summary>
    private bool IsCurrent(uint epoch)
    {
        if (epoch > Epoch) throw new ProtocolException($"A member speaks of epoch {epoch}; this is epoch {Epoch}.");
        return epoch == Epoch && _round is not null;
    }

    private bool IsBusy([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? why)
    {
        why = _round is null ? null
            : _round.IsRestart ? "A restart is under way. Try again when it is done."
            : "A checkpoint is under way. Try again when it is done.";
        return why is not null;
    }

    private void JoinRestarted(Newcomer newcomer)
    {
        MemberHello hello = newcomer.Hello;
        if (_round is not { IsRestart: true } || Phase != Phase.Memory || hello.Computation != Number)
            Refuse(newcomer, "This coordinator is not restarting that computation.");
        else if (_members.ContainsKey(hello.Member))
            Fail(FailureKind.Failed, $"Two images claim to be process {hello.Member} of the computation. Give each image once.");
        else
            Admit(newcomer, hello.Member);
    }

    private void Admit(Newcomer newcomer)
    {
        MemberHello hello = newcomer.Hello;
        if ((hello.Flags & MemberFlags.Rejoining) == 0)
        {
            Admit(newcomer, 0);
            return;
        }

        if (hello.Computation != Number && !WasUsed)
        {
            Number = hello.Computation;
            Store.Clear();
            Store.Adopt(_directory, Number, hello.Generation);
        }

        Store.NoteNumber(hello.Generation);
        if (hello.Computation != Number) Refuse(newcomer, "This coordinator has another computation now.");
        else Admit(newcomer, hello.Member);
    }

    /// <param name="id">The number it had, or 0.</param>
    private void Admit(Newcomer newcomer, uint id)
    {
        ProcessIdentity identity = new(newcomer.Hello.HostId, newcomer.Hello.Pid);

        // After an exec, or when a connection broke, the new one may be seen before the end of the old one.
        if (_byIdentity.TryGetValue(identity, out Member? former))
        {
            former.Peer.CloseWhenSent();
            Remove(former);
        }

        _departed.Remove(identity);
        if (id == 0 || _members.ContainsKey(id)) id = TakeMemberId();
        _nextMember = Math.Max(_nextMember, id + 1);
        Member member = new(id, newcomer.Hello, newcomer.Peer);
        _members.Add(id, member);
        _byPeer.Add(newcomer.Peer, member);
        _byIdentity.Add(identity, member);
        WasUsed = true;
        MemberLog.MemberJoined(logger, Epoch, id, member, newcomer.Hello.Flags);
        newcomer.Peer.Send(new Welcome(newcomer.Proof, id, Number, Epoch));
        _round?.Joined(member);
        if (former is not null && former.Progress != Progress.None) _round?.Lost(former);
    }

    private uint TakeMemberId()
    {
        while (_members.ContainsKey(_nextMember)) _nextMember++;
        return _nextMember;
    }

    private void Refuse(Newcomer newcomer, string reason)
    {
        MemberLog.MemberRefused(logger, newcomer.Hello.Pid, newcomer.Hello.Program, newcomer.Hello.HostName, reason);
        newcomer.Peer.Send(new Refused(reason));
        newcomer.Peer.CloseWhenSent();
    }

    private void AdmitWaiting()
    {
        if (_round is not null) return;
        Newcomer[] waiting = [.. _waiting];
        _waiting.Clear();
        foreach (Newcomer newcomer in waiting) Join(newcomer.Peer, newcomer.Hello, newcomer.Proof);
    }

    private void Lose(Member member)
    {
        Remove(member);
        if (member.Hello.HostId == OwnHost.Id && LocalProcess.IsAlive(member.Hello.Pid, member.Hello.StartTime))
            _departed[new ProcessIdentity(member.Hello.HostId, member.Hello.Pid)] = new Departure(member.Hello, Now);
        MemberLog.MemberLost(logger, Epoch, member.Id, member, _members.Count);
        _round?.Lost(member);
        EndEndings();
    }

    private void Remove(Member member)
    {
        _members.Remove(member.Id);
        _byPeer.Remove(member.Peer);
        _byIdentity.Remove(new ProcessIdentity(member.Hello.HostId, member.Hello.Pid));
    }

    private void ForgetOldDepartures()
    {
        foreach ((ProcessIdentity identity, Departure departure) in _departed.ToArray())
        {
            if (Now > departure.At + Options.Deadlines.Exec) _departed.Remove(identity);
        }
    }

    private void EndRound()
    {
        _round = null;
        _nextWarning = Timeout.InfiniteTimeSpan;
        ScheduleNext();
    }

    private void ScheduleNext() => _nextPeriodic = _interval > TimeSpan.Zero ? Now + _interval : Timeout.InfiniteTimeSpan;

    private string WaitingFor()
    {
        const int MostNamed = 5;
        string[] missing = [.. _round!.Missing()];
        string named = string.Join("; ", missing.Take(MostNamed));
        return missing.Length > MostNamed ? $"{named}; and {missing.Length - MostNamed} more" : named;
    }

    /// <summary>Answers those who wait for the members to be gone.</summary>
    private void EndEndings()
    {
        foreach (Ending ending in _endings.ToArray())
        {
            bool late = Now >= ending.Deadline;
            if (_members.Count > 0 && !late) continue;
            _endings.Remove(ending);
            QuitRequested |= ending.Quit;
            if (_members.Count == 0) ending.WhenDone();
            else ending.Client?.Send(new CommandFailed(FailureKind.Failed, $"These did not end: {string.Join("; ", _members.Values.Take(5))}."));
        }
    }
}
