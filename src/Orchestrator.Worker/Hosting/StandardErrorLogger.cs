using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Hosting;

/// <summary>
/// A task's log lines, from any logger, go to the task's log. Outside of tasks: warnings and worse go to standard error, one line each,
/// which the coordinator keeps for its post-mortems. The console provider would cost a thread, an options system and a fifth of the start
/// time.
/// </summary>
internal sealed class StandardErrorLogger : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) =>
            logLevel < LogLevel.None && (logLevel >= LogLevel.Warning || TaskContext.Current is not null);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            if (TaskContext.Current is { } attempt)
            {
                attempt.Logger.Log(logLevel, eventId, state, exception, formatter);
                return;
            }

            var cause = exception is null ? "" : $" {ExceptionText.Describe(exception)}";
            Console.Error.WriteLine($"{logLevel.ToString().ToLowerInvariant()}: {category}: {formatter(state, exception)}{cause}");
        }
    }
}
