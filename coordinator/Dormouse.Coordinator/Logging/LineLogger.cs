using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.Logging;

/// <summary>Writes one line per event to a file or to standard error: time, level, category, text.</summary>
public sealed class LineLogger(TextWriter output, string category, LogLevel lowest) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= lowest && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        ArgumentNullException.ThrowIfNull(formatter);
        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        string text = formatter(state, exception);
        if (exception is not null) text += Environment.NewLine + exception;
        try
        {
            output.WriteLine($"{time} {logLevel,-11} {category} {text}");
            output.Flush();
        }
        catch (IOException)
        {
            // A full disk or a closed terminal must not end the coordinator.
        }
    }
}
