// World: Guest.
using System.Globalization;
using Dormouse.Runtime.Checkpoint;
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;
using Dormouse.Runtime.Restart;
using Dormouse.Runtime.Sockets.External;

namespace Dormouse.Runtime;

/// <summary>This process as a member of the computation: keeps the link to the coordinator and does what it asks.</summary>
internal sealed unsafe class Worker
{
    private const int FirstRetryMilliseconds = 200;
    private const int LongestRetryMilliseconds = 5000;
    private static Worker? s_current;

    private const int ParentField = 1, StartTimeField = 19; // ProcFile.StatFields

    private readonly int _pid = Kernel.Pid;
    private CoordinatorAddress? _address = CoordinatorAddress.FromEnvironment();
    private Link? _link;
    private bool _isWelcome;
    private int _retryMilliseconds = FirstRetryMilliseconds;
    private MemberHello? _lastHello;
    private WrittenImage? _unsynced;
    private WrittenImage? _uncommitted;

    // A checkpoint that is to be followed by the end of the process: until then its threads stand still.
    private CheckpointRun? _standing;

    /// <summary>The worker of this process; a child of fork(2) begins anew with the address of its parent.</summary>
    public static Worker Current
    {
        get
        {
            if (s_current is null || s_current._pid != Kernel.Pid)
            {
                Worker? parent = s_current;
                parent?._link?.Forget();
                s_current = new Worker();
                s_current._address = parent?._address ?? s_current._address;
            }

            return s_current;
        }
    }

    public uint Member { get; private set; }

    public ulong Computation { get; private set; }

    public uint Generation { get; set; }

    /// <summary>Does what can be done now and says what to wait for; false when this process is no member.</summary>
    public bool Step(ref Step step)
    {
        if (_address is null || (_link is null && Member == 0 && !HostIdentity.HasOwnProc))
        {
            return false;
        }

        try
        {
            if (_unsynced is not null)
            {
                FinishImage(step.Result);
            }

            if (_link is null)
            {
                Connect();
            }

            HandleFrames();
        }
        catch (LinkLostException lost)
        {
            LoseLink(lost.Message);
            step = new Step { Kind = StepKind.Readable, Descriptor = -1, TimeoutMilliseconds = _retryMilliseconds };
            _retryMilliseconds = Math.Min(_retryMilliseconds * 2, LongestRetryMilliseconds);
            return true;
        }

        step = _unsynced is not null
            ? new Step { Kind = StepKind.Sync, Descriptor = _unsynced.Descriptor }
            : new Step { Kind = StepKind.Readable, Descriptor = _link!.Descriptor, TimeoutMilliseconds = -1 };
        return true;
    }

    /// <summary>Takes up the life of a process that has been restored: new coordinator, same member.</summary>
    public void TakeUp(CoordinatorAddress address, Link link)
    {
        _address = address;
        _link = link;
        _isWelcome = true;
        _unsynced = null;
        _uncommitted = null;
        _standing = null;
    }

    /// <summary>What this process says about itself.</summary>
    /// <exception cref="LinkLostException">Nothing can be known just now: the program has lowered its limit of open files this very moment.</exception>
    public MemberHello Hello(MemberFlags flags)
    {
        string[] stat = ProcFile.StatFields("/proc/self/stat");
        string program = ProcFile.ReadText("/proc/self/comm");
        if (stat.Length > StartTimeField && program.Length > 0)
        {
            _lastHello = new MemberHello(
                HostIdentity.Name, HostIdentity.Id, _pid, int.Parse(stat[ParentField], CultureInfo.InvariantCulture),
                ulong.Parse(stat[StartTimeField], CultureInfo.InvariantCulture), (uint)Kernel.Call(SystemCall.GetUid), program,
                Kernel.ReadLink("/proc/self/exe") ?? "", flags, Computation, Member, Generation);
        }

        // A program that has changed its root directory (chroot) may have no /proc any more: what is known of it counts.
        return _lastHello is { } known
            ? known with { Flags = flags, Computation = Computation, Member = Member, Generation = Generation }
            : throw new LinkLostException("/proc/self/stat cannot be read");
    }

    private void Connect()
    {
        _link = Link.Open(_address!);
        _isWelcome = false;
        _link.Send(Hello(Member != 0 ? MemberFlags.Rejoining : MemberFlags.None));
    }

    private void LoseLink(string reason)
    {
        Diagnostics.Report("the coordinator is lost: " + reason + ". The program goes on; the connection is tried again.");
        _link?.Close();
        _link = null;
        _uncommitted?.Discard();
        _uncommitted = null;
        GoOn();
    }

    private void GoOn()
    {
        _standing?.Resume();
        _standing = null;
    }

    private void HandleFrames()
    {
        while (_unsynced is null && _link is not null && (_isWelcome ? TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload) : TryWelcome(out kind, out payload)))
        {
            Handle(kind, payload);
        }
    }

    private bool TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload) => _link!.TryReceive(out kind, out payload);

    private bool TryWelcome(out FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        if (!_link!.TryReceive(out kind, out payload))
        {
            return false;
        }

        if (kind == FrameKind.Refused)
        {
            throw new LinkLostException("the coordinator refuses: " + Frame.Read<Refused>(payload).Reason);
        }

        return true;
    }

    private void Handle(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Welcome:
                Welcome welcome = _link!.Verified(Frame.Read<Welcome>(payload));
                Member = welcome.Member;
                Computation = welcome.Computation;
                _isWelcome = true;
                _retryMilliseconds = FirstRetryMilliseconds;
                break;
            case FrameKind.CheckpointRequested:
                TakeCheckpoint(Frame.Read<CheckpointRequested>(payload));
                break;
            case FrameKind.CommitImages:
                Commit(Frame.Read<CommitImages>(payload));
                break;
            case FrameKind.CheckpointFinished:
                Finish(Frame.Read<CheckpointFinished>(payload));
                break;
            case FrameKind.Abort:
                _uncommitted?.Discard();
                _uncommitted = null;
                GoOn();
                break;
            case FrameKind.KillRequested:
                Kernel.Call(SystemCall.Kill, _pid, 9);
                break;
        }
    }

    private void TakeCheckpoint(CheckpointRequested request)
    {
        var run = new CheckpointRun(this, _link!, request);
        CheckpointOutcome outcome = run.Execute();
        if (outcome.IsRestored)
        {
            RestartRun.Execute(this, run);
            return;
        }

        _unsynced = outcome.Image;
        _standing = run;
    }

    private void FinishImage(int syncResult)
    {
        WrittenImage image = _unsynced!;
        _unsynced = null;
        int error = image.Close(syncResult);
        if (_link is null)
        {
            image.Discard();
            return;
        }

        if (error < 0)
        {
            image.Discard();
            _link.Send(new CheckpointFailed(image.Epoch, Who() + ": " + ImageFailure.Describe(image.TemporaryPath, error)));
            return;
        }

        _uncommitted = image;
        _link.Send(new ImageWritten(
            image.Epoch, image.TemporaryPath, image.FinalName, image.Figures.ImageBytes, image.Figures.MemoryBytes, image.StandstillMicroseconds, image.Losses));
    }

    private void Commit(CommitImages commit)
    {
        string? failure = ImageCommit.Rename(commit.Renames);
        if (failure is null)
        {
            _uncommitted = null;
            _link!.Send(new CommitDone(commit.Epoch));
        }
        else
        {
            _link!.Send(new CheckpointFailed(commit.Epoch, Who() + " " + failure));
        }
    }

    private void Finish(CheckpointFinished finished)
    {
        ImageCommit.Remove(finished.Obsolete);
        if (finished.Exit)
        {
            ExternalConnections.FallAsleep();
            Kernel.Call(SystemCall.Kill, _pid, 9);
        }

        GoOn();
    }

    /// <summary>Host, pid and program, for messages.</summary>
    public string Who()
    {
        string host = HostIdentity.Name, program = ProcFile.ReadText("/proc/self/comm");
        return $"{(host.Length > 0 ? host : _lastHello?.HostName)}: pid {_pid} ({(program.Length > 0 ? program : _lastHello?.Program)})";
    }
}
