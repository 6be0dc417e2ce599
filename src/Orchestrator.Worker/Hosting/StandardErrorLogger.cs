using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker;

/// <summary>
/// Warnings and worse on standard error, one line each, which the coordinator keeps for its post-mortems. The console
/// provider would cost a thread, an options system and a fifth of the start.
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

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var cause = exception is null ? "" : $" {ExceptionText.Describe(exception)}";
            Console.Error.WriteLine($"{logLevel.ToString().ToLowerInvariant()}: {category}: {formatter(state, exception)}{cause}");
        }
    }
}
