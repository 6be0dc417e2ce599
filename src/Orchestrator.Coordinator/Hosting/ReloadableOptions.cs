using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>The reloaded options that a running coordinator cannot apply: ports, limits and all other promises to clients.</summary>
internal static class ReloadableOptions
{
    /// <summary>The flags of <c>orchestrator serve</c> whose new values wait for a restart.</summary>
    public static IReadOnlyList<string> WaitForRestart(CoordinatorOptions now, CoordinatorOptions next)
    {
        var waiting = new List<string>();
        Compare("--grpc-port", options => options.GrpcPort);
        Compare("--http-port", options => options.HttpPort);
        Compare("--listen", options => options.ListenAddress);
        Compare("--data-dir", options => options.DataDirectory);
        Compare("--tls-cert", options => options.Tls?.Certificate);
        Compare("--tls-key", options => options.Tls?.Key);
        Compare("--client-ca", options => options.Tls?.ClientCa);
        Compare("--client-role", options => options.Tls?.ClientRole);
        Compare("--no-auth", options => options.Authentication);
        Compare("--allow-host", options => string.Join(',', options.AllowedHosts));
        Compare("--credits", options => options.CreditsPerStream);
        Compare("--memory-budget", options => options.MemoryBudget);
        Compare("--max-payload", options => options.MaxPayload);
        Compare("--max-tasks-per-client", options => options.Engine.MaxTasksPerClient);
        Compare("--max-bytes-per-client", options => options.Engine.MaxPayloadBytesPerClient);
        Compare("--max-sessions-per-client", options => options.Objects.MaxSessionsPerClient);
        Compare("--max-streams-per-client", options => options.MaxStreamsPerClient);
        Compare("--verbose", options => options.Verbose);
        Compare("--log-format", options => options.LogFormat);
        Compare("--otlp", options => options.PublishMetrics);
        Compare("--otlp-logs", options => options.LogTasks);
        Compare("--trace-ratio", options => options.Traces.Ratio);
        Compare("--trace-slower-than", options => options.Traces.SlowerThan);
        Compare("--no-pinning", options => options.Supervision.PinWorkers);
        Compare("--worker-command (groups)", options => string.Join(
            ',', options.Supervision.MoreGroups.Select(group => group.Name).Order(StringComparer.Ordinal)));
        return waiting;

        void Compare(string flag, Func<CoordinatorOptions, object?> read)
        {
            if (!Equals(read(now), read(next)))
                waiting.Add(flag);
        }
    }
}
