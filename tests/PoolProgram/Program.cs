using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orchestrator.App;
using Orchestrator.Client;
using Orchestrator.Worker;

var app = OrchestratorApp.Create(args);
app.MapTask("pid", TaskKind.Cpu, (int _) => Environment.ProcessId);
app.MapTask("wrong", TaskKind.Cpu, (int _) => Throw());
app.MapBytes("echo", TaskKind.Io, static (bytes, _, _) => new(bytes));
app.MapTask("report", TaskKind.Io, async (int count, TaskContext context, CancellationToken ct) =>
{
    for (var i = 1; i <= count; i++)
    {
        context.ReportProgress(i, count, "step");
        Log.Line(context.Logger, i);
        await context.WritePartialAsync(i * i);
    }

    return count;
});

return await app.RunAsync(async (pool, stopping) =>
{
    switch (app.Args)
    {
        case ["reports"]:
            await ReportsAsync(pool);
            break;
        case ["places"]:
            await PlacesAsync(pool);
            break;
        case ["map", var count]:
            await MapAsync(pool, long.Parse(count, System.Globalization.CultureInfo.InvariantCulture), stopping);
            break;
        default:
            Console.WriteLine("reports, places, or map and a count");
            break;
    }
});

static int Throw() => throw new InvalidOperationException("no luck");

// What a task reports, read after its end as well as during it.
static async Task ReportsAsync(IOrchestratorPool pool)
{
    var task = await pool.SubmitAsync<int>("report", 3);
    var squares = new List<int>();
    await foreach (var square in task.PartialsAsync<int>())
        squares.Add(square);
    Console.WriteLine($"partials {string.Join(' ', squares)}");
    Console.WriteLine($"output {await task}");
    await foreach (var progress in task.ProgressAsync())
        Console.WriteLine($"progress {progress.Completed} of {progress.Total} {progress.Message}");
    await foreach (var line in task.LogAsync())
        Console.WriteLine($"log {line.Level} {line.Message}");
}

// The same handler, and what it fails with, in this process and in another.
static async Task PlacesAsync(IOrchestratorPool pool)
{
    foreach (var place in Enum.GetValues<Executor>())
    {
        var pid = await pool.On(place).RunAsync<int>("pid", 0);
        Console.WriteLine($"{place} {(pid == Environment.ProcessId ? "here" : "elsewhere")}");
        try
        {
            await pool.On(place).RunAsync<int>("wrong", 0);
        }
        catch (RemoteTaskException exception)
        {
            Console.WriteLine($"{place} {exception.RemoteType}: {exception.RemoteMessage}");
        }
    }
}

static async Task MapAsync(IOrchestratorPool pool, long count, CancellationToken stopping)
{
    var echo = TaskFunction.Bytes("echo");
    ReadOnlyMemory<byte> input = new byte[64];
    long done = 0;
    var watch = Stopwatch.StartNew();
    var last = TimeSpan.Zero;
    await foreach (var output in pool.MapAsync(echo, Inputs(), cancellationToken: stopping))
    {
        done++;
        if (done % 100_000 == 0 && watch.Elapsed - last > TimeSpan.FromSeconds(5))
        {
            last = watch.Elapsed;
            Console.WriteLine($"{done} after {last.TotalSeconds:F0} s, {Environment.WorkingSet >> 20} MB");
        }
    }

    Console.WriteLine($"mapped {done} in {watch.Elapsed.TotalSeconds:F2} s, {done / watch.Elapsed.TotalSeconds:F0}/s, {Environment.WorkingSet >> 20} MB");

    IEnumerable<ReadOnlyMemory<byte>> Inputs()
    {
        for (long i = 0; i < count; i++)
            yield return input;
    }
}

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "line {Number}")]
    public static partial void Line(ILogger logger, int number);
}
