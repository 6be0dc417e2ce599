using Orchestrator.Handlers.Common;

namespace Orchestrator.Cli.Common;

/// <summary>The arguments of the hidden verb <c>orchestrator worker</c>, written and read.</summary>
internal static class WorkerArguments
{
    /// <summary>The arguments of a worker process with these handlers.</summary>
    public static IEnumerable<string> Format(StockHandlerOptions options)
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

    /// <summary>The options that these arguments give; null after a message about an unknown one.</summary>
    public static StockHandlerOptions? Parse(string[] args)
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
