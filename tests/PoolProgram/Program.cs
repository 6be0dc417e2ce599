using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.App;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

var app = OrchestratorApp.Create(args);
app.MapTask("pid", (int _) => Environment.ProcessId);
app.MapTask("wrong", (int _) => Throw());
app.MapTask("echo", static (ReadOnlyMemory<byte> bytes) => bytes, new() { Kind = HandlerKind.Io });
app.MapTask("print", async (string text) =>
{
    await Task.Yield();
    Console.WriteLine(text);
    return text.Length;
});
app.MapTask("report", async (int count, TaskContext context) =>
{
    for (var i = 1; i <= count; i++)
    {
        context.ReportProgress(i, count, "step");
        Log.Line(context.Logger, i);
        await context.WritePartialAsync(i * i);
    }

    return count;
});
// Its end of the pipe closes with the attempt.
app.MapTask("answer", async (string pipe, TaskContext context) =>
{
    var end = await context.Session.Pipe<string>(pipe).EndB.AttachDirectAsync();
    await end.SendAsync((await end.ReceiveAsync())!.ToUpperInvariant());
    return 0;
});

if (app.Args is ["broken"])
    app.UseInitializer((_, _) => throw new InvalidDataException("there is no model"));

if (app.Args is ["hosted"] && !app.IsWorker)
{
    var builder = Host.CreateApplicationBuilder();
    builder.Services.AddOrchestrator(app);
    using var host = builder.Build();
    await host.StartAsync();
    await host.Services.GetRequiredService<IOrchestratorPool>().RunAsync<int>("print", "said by a handler");
    await host.StopAsync();
    return 0;
}

return await app.RunAsync(async (pool, stopping) =>
{
    switch (app.Args)
    {
        case ["broken"]:
            await BrokenAsync(pool);
            break;
        case ["prints"]:
            Console.WriteLine($"output {await pool.RunAsync<int>("print", "said by a handler", null, stopping)}");
            break;
        case ["reports"]:
            await ReportsAsync(pool);
            break;
        case ["places"]:
            await PlacesAsync(pool);
            break;
        case ["direct"]:
            await DirectAsync(pool);
            break;
        case ["map", var count]:
            await MapAsync(pool, long.Parse(count, System.Globalization.CultureInfo.InvariantCulture), stopping);
            break;
        case ["slow", var seconds]:
            await SlowAsync(pool, TimeSpan.FromSeconds(double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture)), stopping);
            break;
        default:
            Console.WriteLine("reports, places, direct, map and a count, or slow and seconds");
            break;
    }
});

// No worker starts: waiting callers get the error.
static async Task BrokenAsync(IOrchestratorPool pool)
{
    try
    {
        Console.WriteLine($"pid {await pool.RunAsync<int>("pid", 0)}");
    }
    catch (TaskFailedException exception)
    {
        Console.WriteLine($"{exception.Reason}: {exception.Message}");
    }

    try
    {
        await foreach (var pid in pool.MapAsync<int, int>("pid", Enumerable.Range(0, 100)))
            Console.WriteLine($"pid {pid}");
    }
    catch (TaskFailedException exception)
    {
        Console.WriteLine($"map {exception.Reason}");
    }
}

static int Throw() => throw new InvalidOperationException("no luck");

// A task's reports, read after its end and during its run.
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

// The same handler, and its failures, in this process and in another.
static async Task PlacesAsync(IOrchestratorPool pool)
{
    foreach (var place in Enum.GetValues<TaskPlacement>())
    {
        var pid = await pool.WithPlacement(place).RunAsync<int>("pid", 0);
        Console.WriteLine($"{place} {(pid == Environment.ProcessId ? "here" : "elsewhere")}");
        try
        {
            await pool.WithPlacement(place).RunAsync<int>("wrong", 0);
        }
        catch (TaskFailedException exception)
        {
            Console.WriteLine($"{place} {exception.RemoteType}: {exception.RemoteMessage}");
        }
    }
}

static async Task DirectAsync(IOrchestratorPool pool)
{
    await pool.Client.CreatePipeAsync("p", new PipeOptions { Duplex = true, Direct = true });
    await using var session = await pool.Client.OpenSessionAsync();
    await using var end = await session.Pipe<string>("p").EndA.AttachDirectAsync();
    var answer = pool.RunAsync<int>("answer", "p");
    await end.SendAsync("hello");
    Console.WriteLine($"received {await end.ReceiveAsync()}");
    await answer;
    Console.WriteLine($"then {await end.ReceiveAsync() ?? "end of file"}");
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

    Console.WriteLine(
        $"mapped {done} in {watch.Elapsed.TotalSeconds:F2} s, {done / watch.Elapsed.TotalSeconds:F0}/s, {Environment.WorkingSet >> 20} MB");

    IEnumerable<ReadOnlyMemory<byte>> Inputs()
    {
        for (long i = 0; i < count; i++)
            yield return input;
    }
}

// An endless input and a slow reader. Each second and at the end it prints a line: results taken, inputs ever ahead of them, and bytes of
// memory of this process and of its workers.
static async Task SlowAsync(IOrchestratorPool pool, TimeSpan length, CancellationToken stopping)
{
    long read = 0, taken = 0, ahead = 0;
    var watch = Stopwatch.StartNew();
    var next = TimeSpan.FromSeconds(1);
    await foreach (var output in pool.MapAsync(TaskFunction.Bytes("echo"), Endless(), cancellationToken: stopping))
    {
        taken++;
        ahead = Math.Max(ahead, Volatile.Read(ref read) - taken);
        if (taken % 64 != 0)
            continue;
        await Task.Delay(1, stopping);
        if (watch.Elapsed < next)
            continue;
        await LookAsync();
        if (next >= length)
            break;
        next += TimeSpan.FromSeconds(1);
    }

    async Task LookAsync()
    {
        var workers = (await pool.Client.GetStatusAsync(stopping)).Workers.Sum(worker => (long)worker.RssBytes);
        Console.WriteLine($"{taken} {ahead} {Environment.WorkingSet} {workers}");
    }

    IEnumerable<ReadOnlyMemory<byte>> Endless()
    {
        while (true)
        {
            Interlocked.Increment(ref read);
            yield return new byte[64];
        }
    }
}

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "line {Number}")]
    public static partial void Line(ILogger logger, int number);
}
