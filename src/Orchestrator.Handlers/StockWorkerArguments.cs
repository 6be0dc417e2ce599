using Orchestrator.Handlers.Common;

namespace Orchestrator.Handlers;

/// <summary>The arguments of a <see cref="StockWorker"/>, written and read.</summary>
internal static class StockWorkerArguments
{
    private const string Grpc = "--grpc";

    /// <summary>The arguments of a worker process with these handlers.</summary>
    /// <param name="options">What the handlers may do.</param>
    /// <param name="servesGrpc">Whether it serves gRPC on its socket.</param>
    public static IEnumerable<string> Format(StockHandlerOptions options, bool servesGrpc = false)
    {
        if (servesGrpc)
            yield return Grpc;
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
    public static StockHandlerOptions? Parse(string[] args, out bool servesGrpc)
    {
        servesGrpc = false;
        var options = new StockHandlerOptions();
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case Grpc:
                    servesGrpc = true;
                    break;
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
                    Console.Error.WriteLine($"worker: '{args[i]}' is not understood");
                    return null;
            }
        }

        return options;
    }
}
