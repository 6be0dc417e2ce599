using System.Collections;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// The environment of worker processes: the variables that any program needs, those of .NET, those that the options name, and no others, so
/// that no secret leaks into user code.
/// </summary>
internal static class WorkerEnvironment
{
    private static readonly string[] Basic =
        ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TERM", "SSL_CERT_FILE", "SSL_CERT_DIR"];

    private static readonly string[] Prefixes = ["LC_", "DOTNET_", "COMPlus_"];

    public static IReadOnlyDictionary<string, string> Create(IReadOnlyList<string> inherited)
    {
        var variables = new Dictionary<string, string>();
        foreach (DictionaryEntry item in Environment.GetEnvironmentVariables())
        {
            var name = (string)item.Key;
            if (Basic.Contains(name) || inherited.Contains(name)
                || Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                variables[name] = (string?)item.Value ?? "";
        }

        // One worker, one core: no second heap, no background collector that would compete with the task, and no spinning for other cores.
        variables["DOTNET_PROCESSOR_COUNT"] = "1";
        variables["DOTNET_gcServer"] = "0";
        variables["DOTNET_gcConcurrent"] = "0";
        // On a single core, a pool thread that spins for work only takes the core from the thread that has work.
        variables["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0";
        // With one core the pool would start with one thread, and one handler that blocks it would delay all others until the pool notices.
        variables["DOTNET_ThreadPool_ForceMinWorkerThreads"] = "4";
        // Python buffers output to a pipe in blocks, so it could appear long after the task that printed it.
        variables.TryAdd("PYTHONUNBUFFERED", "1");
        // Instrumented code costs more at the start than it gains in a worker's first seconds.
        variables.TryAdd("DOTNET_TieredPGO", "0");
        // The runtime optimizes hot code only after 100 ms without new methods, which does not happen while a worker's first tasks arrive:
        // they ran at two thirds of full speed for two seconds.
        variables.TryAdd("DOTNET_TC_CallCountingDelayMs", "10");
        return variables;
    }
}
