// Coordinator and workers in one program: `dotnet run` prints the squares of 1 to 10, computed in worker processes.
using System.Globalization;
using Orchestrator.App;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

var app = OrchestratorApp.Create(args);   // first: in a worker, this ties the worker's lifetime to its parent's

app.MapTask("square", HandlerKind.Cpu, (long n) => new Square(n, n * n, Environment.ProcessId));

return await app.RunAsync(async (pool, stopping) =>
{
    var count = args is [var text, ..] ? long.Parse(text, CultureInfo.InvariantCulture) : 10;
    await foreach (var square in pool.MapAsync<long, Square>("square", Numbers(count), cancellationToken: stopping))
        Console.WriteLine($"{square.N} squared is {square.Value}{(square.Pid == Environment.ProcessId ? "" : ", said another process")}");
});

// Map reads at most MapOptions.MaxInFlight inputs ahead: `dotnet run -- 9223372036854775807` runs in constant memory for as long as you let
// it.
static IEnumerable<long> Numbers(long count)
{
    for (long n = 1; n <= count; n++)
        yield return n;
}

internal sealed record Square(long N, long Value, int Pid);
