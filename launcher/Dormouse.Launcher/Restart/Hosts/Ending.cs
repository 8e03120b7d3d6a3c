using System.Runtime.InteropServices;
using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>As long as it lives, a signal that would end this process ends the computation, which is on other hosts.</summary>
internal sealed class Ending : IDisposable
{
    private readonly CoordinatorAddress _coordinator;
    private readonly Lock _lock = new();
    private readonly PosixSignalRegistration[] _registrations;
    private bool _isDone;

    public Ending(CoordinatorAddress coordinator)
    {
        _coordinator = coordinator;
        _registrations =
        [
            On(PosixSignal.SIGHUP, 1), On(PosixSignal.SIGINT, 2), On(PosixSignal.SIGQUIT, 3), On(PosixSignal.SIGTERM, 15),
        ];
    }

    /// <summary>The signal that came; 0: none.</summary>
    public int Signal { get; private set; }

    /// <summary>dmcommand --kill.</summary>
    public void EndAll()
    {
        lock (_lock)
        {
            if (_isDone) return;
            _isDone = true;
            try
            {
                using CoordinatorClient client = CoordinatorClient.Connect(_coordinator);
                client.Send(default(KillCommand));
                client.Expect<CommandDone>();
            }
            catch (ToolException)
            {
                // It has ended by itself.
            }
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Signal = number;
        EndAll();
    });
}
