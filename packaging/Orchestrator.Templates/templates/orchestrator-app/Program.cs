using Orchestrator.App;
using Orchestrator.Worker.Tasks;

// First of all: this program starts itself again as worker processes, one per core.
var app = OrchestratorApp.Create(args);

var square = app.MapTask("square", (long n) => n * n);

return await app.RunAsync(async (pool, stopping) =>
{
    await foreach (var result in pool.MapAsync(square, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], cancellationToken: stopping))
        Console.WriteLine(result);
});
