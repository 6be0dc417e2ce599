using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// The log of the program that the coordinator is embedded in. The words of the coordinator's own web host on starting and stopping are left out: they
/// would be taken for those of the program's.
/// </summary>
internal sealed class ForwardingLoggerFactory(ILoggerFactory program) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? NullLogger.Instance : program.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The log is the program's; add providers there.");

    public void Dispose()
    {
        // The program's own.
    }
}
