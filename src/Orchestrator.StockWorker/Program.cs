using Orchestrator.Handlers;

// What the command asks before it uses this program: whether it runs here at all, and whether it is of the same version.
if (args is ["--version"])
{
    Console.WriteLine(typeof(StockWorker).Assembly.GetName().Version?.ToString(3));
    return 0;
}

return await StockWorker.RunAsync(args, serveGrpc: null);
