using System.Runtime.InteropServices;
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
/// A place where a test wants somebody to die by SIGKILL: DORMOUSE_FAULT of the coordinator is VICTIM@PHASE, when the phase is
/// entered and before anybody is told, or VICTIM@PHASE+N, when N steps of it have been finished. It strikes once.
/// </summary>
public sealed partial class FaultPoint
{
    private const int SIGKILL = 9;

    private readonly FaultVictim _victim;
    private readonly Phase _phase;
    private readonly int _steps;
    private int _finished;
    private bool _struck;

    private FaultPoint(FaultVictim victim, Phase phase, int steps) => (_victim, _phase, _steps) = (victim, phase, steps);

    /// <returns>Null: none is asked for.</returns>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static FaultPoint? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        string[] parts = text.Split('@', '+');
        if (parts.Length is 2 or 3 && Enum.TryParse(parts[0], ignoreCase: true, out FaultVictim victim)
            && Enum.TryParse(parts[1], ignoreCase: true, out Phase phase)
            && int.TryParse(parts.Length == 3 ? parts[2] : "0", out int steps)) return new FaultPoint(victim, phase, steps);
        throw new FormatException($"DORMOUSE_FAULT is '{text}'; it must be such as member@Write or coordinator@Commit+1.");
    }

    internal void PhaseEntered(Computation computation, Round round)
    {
        if (_steps == 0 && computation.Phase == _phase) Strike(computation, round, null);
    }

    internal void StepFinished(Computation computation, Round round, Member finisher)
    {
        if (_steps > 0 && computation.Phase == _phase && ++_finished == _steps) Strike(computation, round, finisher);
    }

    private void Strike(Computation computation, Round round, Member? finisher)
    {
        if (_struck) return;
        _struck = true;
        if (Victim(computation, round, finisher) is { } pid) _ = Kill(pid, SIGKILL);
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

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
