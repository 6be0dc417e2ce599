// A web server that runs long computations in worker processes: they can be cancelled, time out, and cannot crash the server.
using Orchestrator.App;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

var app = OrchestratorApp.Create(args);
var primes = app.MapTask("primes", (int below) => Primes.CountBelow(below));
if (app.IsWorker)
    return await app.RunWorkerAsync();

var builder = WebApplication.CreateBuilder([.. app.Args]);
builder.Services.AddOrchestrator(app, builder.Configuration.GetSection("Orchestrator"));   // appsettings.json, environment, arguments
builder.Services.AddHealthChecks().AddOrchestrator();
var web = builder.Build();
web.MapHealthChecks("/healthz");

// The same handler in a worker process or on a thread of the server; WithPlacement is the only difference.
web.MapGet("/primes/{below:int}", async (int below, IOrchestratorPool pool, CancellationToken gone) =>
    await pool.RunAsync(primes, below, new RunOptions { RunTimeout = TimeSpan.FromSeconds(10) }, gone));
web.MapGet("/primes-here/{below:int}", async (int below, IOrchestratorPool pool, CancellationToken gone) =>
    await pool.WithPlacement(TaskPlacement.InProcess).RunAsync(primes, below, null, gone));
// A page of what the pool does; elsewhere than on a developer's machine it needs the program's own authorization.
if (web.Environment.IsDevelopment())
{
    web.UseWebSockets();
    web.MapOrchestratorDashboard("/orchestrator");
}

await web.RunAsync();
return 0;

internal static class Primes
{
    public static int CountBelow(int limit)
    {
        var count = 0;
        for (var n = 2; n < limit; n++)
        {
            var divisor = 2;
            while (divisor * (long)divisor <= n && n % divisor != 0)
                divisor++;
            if (divisor * (long)divisor > n)
                count++;
        }

        return count;
    }
}
