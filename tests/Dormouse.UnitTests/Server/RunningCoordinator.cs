using Dormouse.Coordinator;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.UnitTests.Server;

/// <summary>A real coordinator on a port of its own, in a thread of its own.</summary>
internal sealed class RunningCoordinator : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CoordinatorServer _server;
    private readonly Thread _thread;

    public RunningCoordinator(Func<CoordinatorOptions, CoordinatorOptions>? change = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("dormouse-unit-").FullName;
        CoordinatorOptions options = new() { Token = Token, Directory = Directory, Port = 0 };
        _server = new CoordinatorServer(change?.Invoke(options) ?? options, Log);
        _server.Listen();
        Port = _server.Endpoint.Port;
        _thread = new Thread(() => _server.Run(_stop.Token)) { IsBackground = true };
        _thread.Start();
    }

    public byte[] Token { get; } = [.. Enumerable.Range(0, TokenProof.TokenBytes).Select(value => (byte)value)];

    public string Directory { get; }

    public int Port { get; }

    public CollectingLogger Log { get; } = new();

    /// <summary>Waits for the coordinator to end by itself.</summary>
    public bool WaitForEnd(TimeSpan patience) => _thread.Join(patience);

    public void Dispose()
    {
        _stop.Cancel();
        Assert.That(_thread.Join(TimeSpan.FromSeconds(10)), "waited 10 s for the coordinator to end");
        _server.Dispose();
        _stop.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

internal sealed class CollectingLogger : ILogger
{
    private readonly List<string> _lines = [];

    public string[] Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add($"{logLevel}: {formatter(state, exception)} {exception}");
    }
}
