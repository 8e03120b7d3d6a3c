using Dormouse.Coordinator.Faults;
using Dormouse.Coordinator.Generations;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.Logging;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.State;

/// <summary>
/// The computation: its members (<see cref="MemberTable"/>, <see cref="Admission"/>, <see cref="Absentees"/>), the phase they are in
/// and the checkpoint or restart under way (<see cref="State.Round"/>). Knows no sockets and no time but what it is given: the server
/// calls <see cref="Join"/>, <see cref="Receive"/>, <see cref="Lost"/> and <see cref="Tick"/>, from one thread.
/// </summary>
internal sealed class Computation
{
    private static readonly TimeSpan s_firstWarning = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger;
    private readonly Admission _admission;
    private readonly MemberMessages _messages;
    private readonly FaultPoint? _fault;
    private TimeSpan _phaseSince;
    private TimeSpan _nextWarning = Timeout.InfiniteTimeSpan;
    private TimeSpan _nextPeriodic = Timeout.InfiniteTimeSpan;
    private TimeSpan _interval;
    private string _directory;
    private Postponed? _postponed;
    private Peer? _preparing;
    private string _whyNotRestarted = "";

    public Computation(CoordinatorOptions options, TimeProvider clock, ILogger logger)
    {
        (Options, Clock, _logger, _directory) = (options, clock, logger, options.Directory);
        Number = options.Computation != 0 ? options.Computation : RandomBytes.TakeUInt64();
        Table = new MemberTable(options.FirstMember);
        Store = new GenerationStore(OwnHost.Name, options.KeepGenerations);
        Absentees = new Absentees(() => Now);
        Endings = new Endings(this);
        _admission = new Admission(this, logger);
        _messages = new MemberMessages(this);
        _fault = options.Fault;
    }

    public CoordinatorOptions Options { get; }

    public TimeProvider Clock { get; }

    public GenerationStore Store { get; }

    public MemberTable Table { get; }

    public Absentees Absentees { get; }

    public Pairing.KnownEnds KnownEnds { get; } = new();

    public CommandPeers Commands { get; } = new();

    public Endings Endings { get; }

    /// <summary>The checkpoint or restart under way.</summary>
    public Round? Round { get; private set; }

    /// <summary>The number of the computation.</summary>
    public ulong Number { get; private set; }

    public Phase Phase { get; private set; }

    /// <summary>Number of the current checkpoint or restart, or of the last one.</summary>
    public uint Epoch { get; private set; }

    /// <summary>Ascending by number.</summary>
    public IReadOnlyCollection<Member> Members => Table.All;

    /// <summary>A command said that the coordinator should end.</summary>
    public bool QuitRequested => Endings.QuitRequested;

    /// <summary>Somebody was a member once.</summary>
    public bool WasUsed => _admission.WasUsed;

    /// <summary>There are no members, and what would have brought some has been refused, has failed, or is gone.</summary>
    public bool IsUnneeded { get; private set; }

    /// <summary>Monotonic.</summary>
    public TimeSpan Now => Clock.GetElapsedTime(0);

    /// <summary>When <see cref="Tick"/> must be called; infinite (negative): not before something else happens.</summary>
    public TimeSpan NextTick
    {
        get
        {
            TimeSpan next = Timeout.InfiniteTimeSpan;
            Consider(_nextPeriodic);
            Consider(Endings.NextDeadline);
            if (_postponed is not null) Consider(_postponed.Due);
            if (Round is not null)
            {
                Consider(_nextWarning);
                Consider(PhaseDeadline);
                Consider(Round.NextLook);
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
            TimeSpan limit = Options.Deadlines.Of(Phase, Round is { IsRestart: true });
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

    /// <summary>A peer that knows the token wants to be a member.</summary>
    public void Join(Peer peer, in MemberHello hello, byte[] proof)
    {
        IsUnneeded = false;
        _admission.Join(new Newcomer(peer, hello, proof));
    }

    /// <summary>Who a command is, so that it is not taken for a lost child of a member, nor for a member: one that waits for a checkpoint
    /// should not be in it.</summary>
    public void Introduce(Peer peer, in CommandHello hello)
    {
        Commands.Add(peer, hello);
        if (Table.Of(new ProcessIdentity(hello.HostId, hello.Pid)) is not { Progress: Progress.None } member) return;
        member.Peer.CloseWhenSent();
        Table.Remove(member);
        Round?.Lost(member);
    }

    /// <summary>The process behind this command becomes a program of the computation.</summary>
    public void Announce(Peer peer, in AnnounceCommand launch)
    {
        IsUnneeded = false;
        Commands.Remove(peer);
        ProcessIdentity identity = new(launch.HostId, launch.Pid);
        Absentees.Add(new Absentee(identity, launch.HostName, launch.StartTime, launch.Program, "start", Now + Options.Deadlines.Launch));
    }

    /// <summary>A message of a member.</summary>
    /// <exception cref="ProtocolException">It may not send that, or not now.</exception>
    public void Receive(Peer peer, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (Table.Of(peer) is { } member) _messages.Receive(member, kind, payload);
    }

    /// <summary>The connection of a member or a command is gone.</summary>
    public void Lost(Peer peer)
    {
        Commands.Remove(peer);
        _admission.Forget(peer);
        Endings.Forget(peer);
        Round?.PeerLost(peer);
        if (peer == _preparing) IsUnneeded = Round is null && Table.Count == 0;
        if (_postponed?.Client == peer) _postponed = _postponed! with { Client = null };
        if (Table.Of(peer) is not { } member) return;

        Table.Remove(member);
        MemberHello hello = member.Hello;
        if (hello.HostId == OwnHost.Id && LocalProcess.IsAlive(hello.Pid, hello.StartTime))
            Absentees.Add(new Absentee(member.Identity, hello.HostName, hello.StartTime, hello.Program, "come back from its exec", Now + Options.Deadlines.Exec));
        MemberLog.MemberLost(_logger, Epoch, member.Id, member, Table.Count);
        Round?.Lost(member);
        Endings.Consider();
    }

    /// <summary>Does what is due.</summary>
    public void Tick()
    {
        TimeSpan now = Now;
        // The clock is read after NextLook, which is told from the present.
        if (Round is not null && IsDue(Round.NextLook, Now + TimeSpan.FromMilliseconds(5))) Round.Look();
        if (Round is not null && IsDue(_nextWarning, now))
        {
            BarrierLog.BarrierWaits(_logger, Epoch, Phase, (now - _phaseSince).TotalSeconds, WaitingFor());
            _nextWarning = now + (now - _phaseSince);
        }

        if (Round is not null && (IsDue(PhaseDeadline, now) || (now >= _phaseSince + s_firstWarning && Round.IsHopeless)))
            Fail(FailureKind.Failed, $"Waited {(now - _phaseSince).TotalSeconds:0} s for {WaitingFor()}.");

        Endings.Consider();
        if (_postponed is { } again && IsDue(again.Due, now))
        {
            _postponed = null;
            BeginCheckpoint(again.Client, again.Command, again);
        }

        if (IsDue(_nextPeriodic, now))
        {
            ScheduleNext();
            if (Round is null && _postponed is null && Table.Count > 0) BeginCheckpoint(null, new CheckpointCommand(Options.Codec, KillAfter: false, ""));
        }
    }

    public void BeginCheckpoint(Peer? client, in CheckpointCommand command) => BeginCheckpoint(client, command, null);

    private void BeginCheckpoint(Peer? client, in CheckpointCommand command, Postponed? before)
    {
        if (IsBusy(out string? why))
        {
            client?.Send(new CommandFailed(FailureKind.Busy, why));
            return;
        }

        Absentees.ForgetLate();
        Absentees.Forget();
        if (Table.Count == 0 && Absentees.Count == 0)
        {
            client?.Send(new CommandFailed(FailureKind.NothingAttached, "No process is attached to this coordinator. Start one with dmlaunch."));
            return;
        }

        string directory = command.Directory.Length > 0 ? command.Directory : _directory;
        HostPids.Find(Members);
        Dictionary<Member, ProcessStatus> local = ProcessStatus.OfLocal(Members);
        if ((StoppedProcesses.Problem(local, Absentees.All) ?? TracedProcesses.Problem(local) ?? DiskSpace.Problem(directory, local)) is { } problem)
        {
            CheckpointLog.RoundFailed(_logger, Epoch, Phase, problem);
            client?.Send(new CommandFailed(FailureKind.Failed, problem));
            return;
        }

        Epoch++;
        CheckpointRound round = before is null
            ? new(this, client, command, directory, Store.TakeNumber())
            : new(this, client, command, directory, before.Generation) { FirstTried = before.FirstTried };
        Round = round;
        CheckpointLog.CheckpointStarted(_logger, Epoch, round.Generation, Table.Count, directory);
        Advance(Trigger.CheckpointRequested);
    }

    public void BeginRestart(Peer client, in RestartBegin request)
    {
        if (request.IsPart && Phase == Phase.Memory && Round is RestartRound begun && begun.TryAdd(client, request)) return;
        if (IsBusy(out string? why))
        {
            client.Send(new CommandFailed(FailureKind.Busy, why));
        }
        else if (request.OnlyJoins)
        {
            client.Send(new CommandFailed(FailureKind.Failed, $"The restart was over before this host took part: {_whyNotRestarted}"));
        }
        else if (Table.Count > 0)
        {
            client.Send(new CommandFailed(FailureKind.Busy,
                $"{Table.Count} processes are attached to this coordinator. End them first (dmcommand --kill) or use another coordinator (--new-coordinator)."));
        }
        else if (request.ImageCount == 0)
        {
            client.Send(new CommandFailed(FailureKind.Failed, "A restart needs at least one image."));
        }
        else
        {
            IsUnneeded = false;
            _preparing = null;
            TakeUp(request.Computation, request.Generation);
            Absentees.Clear();
            Epoch++;
            Round = new RestartRound(this, client, request);
            CheckpointLog.RestartStarted(_logger, Epoch, Number, request.Generation, request.ImageCount, request.Session);
            Advance(Trigger.RestartRequested);
        }
    }

    /// <summary>Who has started the coordinator is gone.</summary>
    public void LoseStarter() => IsUnneeded = Table.Count == 0;

    /// <summary>This peer has started the coordinator, and prepares a restart.</summary>
    public void Expect(Peer client) => _preparing = client;

    /// <summary>The restart for which this peer has started the coordinator is refused.</summary>
    public void Dismiss(Peer client)
    {
        Round?.PeerLost(client);
        IsUnneeded = Round is null && Table.Count == 0;
        client.CloseWhenSent();
    }

    /// <summary>Becomes the coordinator of this computation, which has a past.</summary>
    /// <param name="generation">The last one that is known of it.</param>
    public void TakeUp(ulong number, uint generation)
    {
        if (Number != number) Store.Clear();
        Number = number;
        Store.Adopt(_directory, Number, generation);
    }

    /// <summary>Asks all members to end.</summary>
    public void Kill(Peer client, bool quit)
    {
        CheckpointLog.KillStarted(_logger, Epoch, Table.Count, quit);
        foreach (Member member in Members) member.Peer.Send(default(KillRequested));
        _admission.SendAwayWaiting();
        Endings.Add(client, quit, () => client.Send(default(CommandDone)));
    }

    public void SetInterval(TimeSpan interval)
    {
        _interval = interval;
        ScheduleNext();
    }

    public void SetDirectory(string directory) => _directory = directory;

    public StatusReport Status() => new(
        Number, (uint)Table.Count, Phase, Epoch, Store.Newest, (uint)_interval.TotalSeconds, _directory, OwnHost.Name,
        Environment.ProcessId, Round is null ? "" : WaitingFor());

    /// <summary>Enters the next phase and does what begins it.</summary>
    public void Advance(Trigger trigger)
    {
        Phase from = Phase;
        Phase = PhaseMachine.Next(from, trigger);
        TimeSpan now = Now;
        BarrierLog.PhaseEntered(_logger, Epoch, Phase, from, Table.Count, (now - _phaseSince).TotalMilliseconds);
        _phaseSince = now;
        _nextWarning = now + s_firstWarning;
        Round round = Round ?? throw new InvalidOperationException($"{trigger} without a round.");
        _fault?.PhaseEntered(this, round);
        if (Phase == Phase.Running) EndRound();
        round.Entered(Phase);
        if (Phase == Phase.Running) _admission.AdmitWaiting();
    }

    /// <summary>Gives up the current checkpoint or restart.</summary>
    public void Fail(FailureKind failure, string reason)
    {
        if (Round is not { } round) return;
        CheckpointLog.RoundFailed(_logger, Epoch, Phase, reason);
        Phase = PhaseMachine.Next(Phase, Trigger.Failed);
        EndRound();
        round.Failed(failure, reason);
        _admission.AdmitWaiting();
        if (round.IsRestart) _whyNotRestarted = reason;
        IsUnneeded = round.IsRestart && Table.Count == 0;
    }

    /// <summary>A member cannot be checkpointed at this instant, but soon: all run on, then it is tried again, for a bounded time.</summary>
    public void Postpone(string reason)
    {
        if (Round is not CheckpointRound round || Postponed.After(round, Now) is not { } again)
        {
            Fail(FailureKind.Failed, reason);
            return;
        }

        CheckpointLog.CheckpointPostponed(_logger, Epoch, Phase, reason);
        Phase = PhaseMachine.Next(Phase, Trigger.Failed);
        EndRound();
        round.CallOff(reason);
        _postponed = again;
        _admission.AdmitWaiting();
    }

    /// <summary>A participant has finished a step.</summary>
    /// <exception cref="ProtocolException">It was not to do that now.</exception>
    public void Finished(Member member, Step step)
    {
        if (Phase != step.Phase || member.Progress != step.Before)
            throw new ProtocolException($"{member} claims {step.After} in phase {Phase}, after {member.Progress}.");
        member.Progress = step.After;
        if (Round is not { } round) return;
        _fault?.StepFinished(this, round, member);

        // Looking at all of them each time would take the square of their number.
        if (round.CountFinished(step) >= round.Participants.Count) Consider(step);
    }

    /// <summary>Goes on when all participants have finished this step.</summary>
    public void Consider(Step step)
    {
        if (Round is not { } round || Phase != step.Phase) return;
        foreach (Member participant in round.Participants)
        {
            if (participant.Progress < step.After) return;
        }

        if (step.WhenAll is { } trigger && step != Step.Suspend) Advance(trigger);
        else round.AllFinished(step);
    }

    /// <summary>Children of this member that are neither members nor commands.</summary>
    public int[] UnknownChildren(Member member)
    {
        List<int> unknown = [];
        foreach (int child in member.Children)
        {
            ProcessIdentity identity = new(member.Hello.HostId, child);
            if (Table.Of(identity) is null && !Commands.Contains(identity)) unknown.Add(child);
        }

        return [.. unknown];
    }

    /// <summary>Writes the list of generations, after a commit.</summary>
    public void SaveGenerations(CheckpointRound round)
    {
        string directory = round.Directory;
        CheckpointLog.GenerationCommitted(_logger, Epoch, round.Generation, round.Participants.Count, (Now - round.StartedAt).TotalMilliseconds);
        try
        {
            Store.Save(directory, Number);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The directory may be on the members' hosts only; images say themselves what they belong to.
            CheckpointLog.ManifestNotWritten(_logger, Epoch, directory, problem.Message);
        }
    }

    private static bool IsDue(TimeSpan time, TimeSpan now) => time >= TimeSpan.Zero && time <= now;

    private bool IsBusy([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? why)
    {
        why = Round is null ? (_postponed is null ? null : "A checkpoint is under way. Try again when it is done.")
            : Round.IsRestart ? "A restart is under way. Try again when it is done."
            : "A checkpoint is under way. Try again when it is done.";
        return why is not null;
    }

    private void EndRound()
    {
        Round = null;
        _nextWarning = Timeout.InfiniteTimeSpan;
        ScheduleNext();
    }

    private void ScheduleNext() => _nextPeriodic = _interval > TimeSpan.Zero ? Now + _interval : Timeout.InfiniteTimeSpan;

    private string WaitingFor()
    {
        const int MostNamed = 5;
        string[] missing = [.. Round!.Missing()];
        string named = string.Join("; ", missing.Take(MostNamed));
        return missing.Length > MostNamed ? $"{named}; and {missing.Length - MostNamed} more" : named;
    }
}
