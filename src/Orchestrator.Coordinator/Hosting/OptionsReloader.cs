using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Supervision;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>SIGHUP: reads tokens and options again, and replaces the workers one after the other, so that they match the options.</summary>
internal sealed partial class OptionsReloader(
    CoordinatorOptions options, TokenStore tokens, WorkerSupervisor supervisor, EventLog events, IHostApplicationLifetime lifetime,
    ILogger<OptionsReloader> logger) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private volatile CoordinatorOptions _options = options;

    /// <summary>Reads the options; null keeps those of the start. Throws an exception whose message describes invalid options.</summary>
    public Func<CoordinatorOptions>? Source { get; set; }

    /// <summary>How long a stop waits for unfinished tasks.</summary>
    public TimeSpan DrainTimeout => _options.DrainTimeout;

    /// <summary>Never throws: a failure becomes an event and a warning, and the coordinator continues unchanged.</summary>
    public async Task ReloadAsync()
    {
        tokens.Refresh();
        try
        {
            // Reloads run one at a time: a second signal must not start workers with the first signal's options.
            await _one.WaitAsync(lifetime.ApplicationStopping);
            try
            {
                events.Add("coordinator.reloading", "",
                    "SIGHUP: tokens, certificates and options are read again, workers are replaced one after the other");
                var waiting = await TakeOverAsync();
                var recycled = await supervisor.RecycleAsync("", "", lifetime.ApplicationStopping);
                events.Add("coordinator.reloaded", "", $"{recycled} workers have been " +
                    $"replaced{(waiting.Count == 0 ? "" : $"; a restart is needed for {string.Join(", ", waiting)}")}");
                if (waiting.Count > 0)
                    Log.WaitForRestart(logger, string.Join(", ", waiting));
            }
            finally
            {
                _one.Release();
            }
        }
        catch (OperationCanceledException)
        {
            events.Add("coordinator.reload_failed", "", "the coordinator stops");
        }
        catch (Exception exception)
        {
            events.Add("coordinator.reload_failed", "", exception.Message);
            Log.Failed(logger, exception.Message);
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<IReadOnlyList<string>> TakeOverAsync()
    {
        if (Source is null)
            return [];
        var next = Source();
        if (next.Validate() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join("; ", faults));
        await supervisor.ReloadAsync(next.Supervision);
        var waiting = ReloadableOptions.WaitForRestart(_options, next);
        // Options that wait for a restart are compared with the start options again at the next reload.
        _options = _options with { DrainTimeout = next.DrainTimeout };
        return waiting;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "SIGHUP: {Why}. Nothing has changed")]
        public static partial void Failed(ILogger logger, string why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "SIGHUP: a restart is needed for {Options}; all else is as the options now say")]
        public static partial void WaitForRestart(ILogger logger, string options);
    }
}
