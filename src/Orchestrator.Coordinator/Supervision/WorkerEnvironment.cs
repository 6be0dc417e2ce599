using System.Collections;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>The environment of worker processes: what any program needs, what .NET needs, what the options name, and nothing else, so that no secret leaks into user code.</summary>
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
            if (Basic.Contains(name) || inherited.Contains(name) || Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                variables[name] = (string?)item.Value ?? "";
        }

        // One worker, one core: no second heap, no background collector that would compete with the task, and no spinning for other cores.
        variables["DOTNET_PROCESSOR_COUNT"] = "1";
        variables["DOTNET_gcServer"] = "0";
        variables["DOTNET_gcConcurrent"] = "0";
        // A pool thread that spins for work on the one core only keeps the thread from it that has some.
        variables["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0";
        // With one core the pool would start with one thread, and one handler that blocks it would delay all others until the pool notices.
        variables["DOTNET_ThreadPool_ForceMinWorkerThreads"] = "4";
        // Python keeps what it prints to a pipe until it has a block of it, which may be long after the task that printed it.
        variables.TryAdd("PYTHONUNBUFFERED", "1");
        // Instrumented code costs more at the start than it returns in a worker's first seconds.
        variables.TryAdd("DOTNET_TieredPGO", "0");
        // The runtime compiles hot code well once nothing new has run for 100 ms, which never comes while a worker's first tasks do: they ran
        // at two thirds of its speed for two seconds.
        variables.TryAdd("DOTNET_TC_CallCountingDelayMs", "10");
        return variables;
    }
}
