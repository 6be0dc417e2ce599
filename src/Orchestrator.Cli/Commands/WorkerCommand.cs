using Orchestrator.Handlers;
using Orchestrator.Worker;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// The hidden verb <c>orchestrator worker</c>: a worker process with the stock handlers. A coordinator starts it, so its few
/// flags are parsed by hand: a command-line parser would add considerably to every worker's start time.
/// </summary>
internal static class WorkerCommand
{
    public static Task<int> RunAsync(string[] args)
    {
        // Before the first await: the worker binds its lifetime to its parent's on the main thread.
        var worker = OrchestratorWorker.CreateBuilder(args);
        if (Parse(args) is not { } options)
            return Task.FromResult(ExitCode.Usage);
        StockHandlers.Register(worker.Tasks, options);
        return worker.RunAsync();
    }

    /// <summary>The arguments of a worker process with these handlers.</summary>
    public static IEnumerable<string> Arguments(StockHandlerOptions options)
    {
        yield return "worker";
        if (options.AllowChaos)
            yield return "--allow-chaos";
        foreach (var directory in options.AllowedDirectories)
        {
            yield return "--allow-directory";
            yield return directory;
        }

        foreach (var directory in options.DeniedDirectories)
        {
            yield return "--deny-directory";
            yield return directory;
        }

        foreach (var prefix in options.AllowedUrlPrefixes)
        {
            yield return "--allow-url";
            yield return prefix;
        }
    }

    private static StockHandlerOptions? Parse(string[] args)
    {
        var options = new StockHandlerOptions();
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--allow-chaos":
                    options.AllowChaos = true;
                    break;
                case "--allow-directory" when i + 1 < args.Length:
                    options.AllowedDirectories.Add(args[++i]);
                    break;
                case "--deny-directory" when i + 1 < args.Length:
                    options.DeniedDirectories.Add(args[++i]);
                    break;
                case "--allow-url" when i + 1 < args.Length:
                    options.AllowedUrlPrefixes.Add(args[++i]);
                    break;
                default:
                    Console.Error.WriteLine($"orchestrator worker: '{args[i]}' is not understood");
                    return null;
            }
        }

        return options;
    }
}
