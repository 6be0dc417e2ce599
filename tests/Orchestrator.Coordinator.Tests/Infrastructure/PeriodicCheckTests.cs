using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Tests.Infrastructure;

/// <summary>Part 5, 1: nothing that a timer calls ends the process.</summary>
public sealed class PeriodicCheckTests
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    [Fact]
    public void What_it_calls_may_throw_and_is_called_again()
    {
        var (time, log, calls) = (new HandTime(), new Recorder(), 0);
        using (new PeriodicCheck(time, Period, () => throw new InvalidDataException($"call {++calls}"), log))
        {
            for (var second = 0; second < 3; second++)
                time.Advance(Period);
        }

        time.Advance(Period);
        Assert.Equal(3, calls);
        Assert.Equal(["call 1", "call 2", "call 3"], log.Errors.Select(error => error.Message));
    }

    [Fact]
    public void It_is_never_called_twice_at_once()
    {
        var (time, depth, calls) = (new HandTime(), 0, 0);
        using var check = new PeriodicCheck(
            time,
            Period,
            () =>
            {
                calls++;
                Assert.Equal(1, ++depth);
                // The next period passes while it still runs.
                if (calls == 1)
                    time.Advance(Period);
                depth--;
            },
            new Recorder());
        time.Advance(Period);
        Assert.Equal(1, calls);
        time.Advance(2 * Period);
        Assert.Equal(2, calls);
    }

    private sealed class Recorder : ILogger
    {
        public List<Exception> Errors { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Assert.Equal(LogLevel.Error, logLevel);
            Assert.Contains("is repeated", formatter(state, exception), StringComparison.Ordinal);
            Errors.Add(exception!);
        }
    }
}
