using Orchestrator.App;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

// First of all: this program starts itself again as worker processes, one per core.
var app = OrchestratorApp.Create(args);

app.MapTask("square", HandlerKind.Cpu, (long n) => n * n);

return await app.RunAsync(async (pool, stopping) =>
{
    await foreach (var square in pool.MapAsync<long, long>("square", Enumerable.Range(1, 10).Select(n => (long)n), cancellationToken: stopping))
        Console.WriteLine(square);
});
