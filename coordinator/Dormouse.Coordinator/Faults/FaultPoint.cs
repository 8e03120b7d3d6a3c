using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.Faults;

/// <summary>Who is killed at a fault point.</summary>
internal enum FaultVictim
{
    /// <summary>The coordinator itself.</summary>
    Coordinator,

    /// <summary>The command that asked for the checkpoint or restart.</summary>
    Client,

    /// <summary>A participant that has not finished: the last of those who are furthest behind.</summary>
    Member,

    /// <summary>The participant that has just finished its step.</summary>
    Finisher,
}

/// <summary>
/// A place where a test wants somebody to die by SIGKILL. DORMOUSE_FAULT of the coordinator is VICTIM@PHASE: when the phase is
/// entered and before anybody is told; or VICTIM@PHASE+N: when N steps of it have been finished. With /EPOCH behind it, in that
/// checkpoint or restart, else in the first. It strikes once.
/// </summary>
public sealed partial class FaultPoint
{
    private const int SIGKILL = 9;

    private FaultVictim _victim;
    private Phase _phase;
    private int _steps;
    private uint _epoch;
    private int _finished;
    private bool _struck;

    /// <returns>Null: none is asked for.</returns>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static FaultPoint? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        Match match = Form().Match(text);
        if (match.Success && Enum.TryParse(match.Groups[1].ValueSpan, ignoreCase: true, out FaultVictim victim)
            && Enum.TryParse(match.Groups[2].ValueSpan, ignoreCase: true, out Phase phase))
            return new FaultPoint { _victim = victim, _phase = phase, _steps = Number(match.Groups[3]), _epoch = (uint)Number(match.Groups[4]) };
        throw new FormatException($"DORMOUSE_FAULT is '{text}'; it must be such as member@Write or coordinator@Commit+1/2.");

        static int Number(Group group) => group.Success ? int.Parse(group.ValueSpan) : 0;
    }

    internal void PhaseEntered(Computation computation, Round round)
    {
        if (_steps == 0 && computation.Phase == _phase) Strike(computation, round, null);
    }

    internal void StepFinished(Computation computation, Round round, Member finisher)
    {
        if (_steps > 0 && computation.Phase == _phase && (_epoch == 0 || _epoch == computation.Epoch) && ++_finished == _steps) Strike(computation, round, finisher);
    }

    private void Strike(Computation computation, Round round, Member? finisher)
    {
        if (_struck || (_epoch != 0 && _epoch != computation.Epoch)) return;
        _struck = true;
        if (Victim(computation, round, finisher) is { } pid && Kill(pid, SIGKILL) == 0) AwaitEnd(pid);
    }

    // kill(2) returns before the process has ended: on a busy host the others could be through meanwhile with what it was to break off.
    private static void AwaitEnd(int pid)
    {
        const int MostMilliseconds = 2000;
        for (int waited = 0; waited < MostMilliseconds && !LocalProcess.HasEnded(pid); waited++) Thread.Sleep(1);
    }

    private int? Victim(Computation computation, Round round, Member? finisher)
    {
        ProcessIdentity? victim = _victim switch
        {
            FaultVictim.Coordinator => new ProcessIdentity(OwnHost.Id, Environment.ProcessId),
            FaultVictim.Client => round.Client is { } client ? computation.Commands.Of(client) : null,
            FaultVictim.Member => round.Participants.OrderBy(member => member.Progress).ThenByDescending(member => member.Id).FirstOrDefault()?.Identity,
            _ => finisher?.Identity,
        };

        // A PID of a pod means another process here.
        return victim is { } identity && identity.HostId == OwnHost.Id ? identity.Pid : null;
    }

    [GeneratedRegex("^([a-z]+)@([a-z]+)(?:[+]([0-9]{1,5}))?(?:/([0-9]{1,5}))?$", RegexOptions.IgnoreCase)]
    private static partial Regex Form();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
