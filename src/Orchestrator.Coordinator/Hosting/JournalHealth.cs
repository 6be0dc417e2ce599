using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>Reports a failed journal: in health, in the log and among the events. Non-durable work continues.</summary>
internal sealed partial class JournalHealth(ChangeJournal journal, HealthServiceImpl health, EventLog events, ILogger<JournalHealth> logger)
{
    /// <summary>The health service name of durable storage.</summary>
    public const string ServiceName = "orchestrator.journal";

    private int _failed;

    /// <summary>Why durable writes fail; null while they succeed.</summary>
    public string? Failure => journal.Failure;

    /// <summary>Starts reporting.</summary>
    public void Start()
    {
        health.SetStatus(ServiceName, HealthCheckResponse.Types.ServingStatus.Serving);
        journal.Failed += OnFailed;
        if (journal.Failure is { } why)
            OnFailed(why);
    }

    private void OnFailed(string why)
    {
        if (Interlocked.Exchange(ref _failed, 1) != 0)
            return;
        health.SetStatus(ServiceName, HealthCheckResponse.Types.ServingStatus.NotServing);
        events.Add("journal.failed", "", why);
        Log.Failed(logger, why);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error,
            "The journal has failed: {Why}. Durable requests answer JOURNAL_FAILED until a restart; all others go on.")]
        public static partial void Failed(ILogger logger, string why);
    }
}
