using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// The log of the program that embeds the coordinator. Start and stop messages of the coordinator's own web host are omitted: they would be
/// mistaken for the program's.
/// </summary>
internal sealed class ForwardingLoggerFactory(ILoggerFactory program) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? NullLogger.Instance : program.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The log is the program's; add providers there.");

    public void Dispose()
    {
        // Owned by the program.
    }
}
