using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Telemetry;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>Where the coordinator's log goes, in which form, and what it leaves out.</summary>
internal static class CoordinatorLogging
{
    /// <summary>Configures the log.</summary>
    public static void Configure(ILoggingBuilder logging, CoordinatorOptions options)
    {
        logging.ClearProviders();
        logging.AddConsole(console =>
        {
            console.FormatterName = options.LogFormat == LogFormat.Json
                ? JsonLineFormatter.FormatterName : PlainConsoleFormatter.FormatterName;
            if (!options.OwnsProcess)
                console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        logging.Services.AddSingleton<ConsoleFormatter, PlainConsoleFormatter>();
        logging.Services.AddSingleton<ConsoleFormatter, JsonLineFormatter>();
        logging.AddFilter(null, LogLevel.Warning);
        logging.AddFilter(TaskLog.Category, LogLevel.Information);
        // The console of a coordinator shows its own log, not those of all tasks.
        if (options.OwnsProcess)
            logging.AddFilter<ConsoleLoggerProvider>(TaskLog.Category, LogLevel.None);
        // The host's messages on starting and stopping duplicate the coordinator's own.
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        // A failed start is reported once, by the caller of Start.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        logging.AddFilter("Microsoft.AspNetCore.Hosting", LogLevel.None);
        if (options.Verbose)
            logging.AddFilter("Orchestrator", LogLevel.Information);
        // One line per frame of a flood: the client is at fault, and clients must not be able to fill the log.
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None);
        // A cancelled or refused call is not a server error.
        logging.AddFilter("Grpc.AspNetCore.Server", LogLevel.Error);
    }
}
