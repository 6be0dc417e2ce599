// Coordinator and workers in one program: `dotnet run` prints the squares of 1 to 10, computed in worker processes.
using System.Globalization;
using Orchestrator.App;
using Orchestrator.Worker.Tasks;

var app = OrchestratorApp.Create(args);   // first: in a worker, this ties the worker's lifetime to its parent's

var square = app.MapTask("square", (long n) => new Square(n, n * n, Environment.ProcessId));

return await app.RunAsync(async (pool, stopping) =>
{
    var count = args is [var text, ..] ? long.Parse(text, CultureInfo.InvariantCulture) : 10;
    await foreach (var (n, value, pid) in pool.MapAsync(square, Numbers(count), cancellationToken: stopping))
        Console.WriteLine($"{n} squared is {value}{(pid == Environment.ProcessId ? "" : ", said another process")}");
});

// Map reads at most MapOptions.MaxInFlight inputs ahead: `dotnet run -- 9223372036854775807` runs in constant memory for as long as you let
// it.
static IEnumerable<long> Numbers(long count)
{
    for (long n = 1; n <= count; n++)
        yield return n;
}

internal sealed record Square(long N, long Value, int Pid);
