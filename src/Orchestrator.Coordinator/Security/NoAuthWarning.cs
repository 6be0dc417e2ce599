using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>Logs every minute that no credential is required, so that the option is not left on by mistake.</summary>
internal sealed partial class NoAuthWarning(CoordinatorOptions options, TimeProvider time, ILogger<NoAuthWarning> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Authentication)
            return;
        using var timer = new PeriodicTimer(Interval, time);
        do
            LogOpen();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "--no-auth: every program on this machine may do everything here; it is for trying out only")]
    private partial void LogOpen();
}
