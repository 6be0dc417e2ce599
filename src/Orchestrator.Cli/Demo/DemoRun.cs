using System.Diagnostics;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Demo;

/// <summary>Runs every workload in every placement over one coordinator.</summary>
internal sealed class DemoRun(OrchestratorClient client, CancellationToken token)
{
    private const int WarmUpTasks = 200;

    /// <summary>The number of samples with which a CPU task takes about <see cref="Workload.TaskTime"/>.</summary>
    public async Task<long> CalibrateAsync()
    {
        // Every process recompiles a hot method in the background after thirty calls. So each placement gets many small
        // tasks first, twice, before the measurement.
        var warmUp = new Workload("warm-up", [.. Enumerable.Range(0, WarmUpTasks).Select(i => Workload.Cpu(100_000, i))]);
        foreach (var contender in Contender.All.Concat(Contender.All))
            await RunAsync(warmUp, contender, null);
        long samples = 500_000;
        var took = await TimeAsync(samples);
        // A second, longer measurement: the first is too short to be accurate.
        samples = Scale(samples, took);
        took = await TimeAsync(samples);
        return Scale(samples, took);

        async Task<TimeSpan> TimeAsync(long count) =>
            (await RunAsync(
                new Workload("calibration", [Workload.Cpu(count, 1), Workload.Cpu(count, 2)]), Contender.All[0], null)).Elapsed / 2;

        static long Scale(long count, TimeSpan took) =>
            Math.Clamp((long)(count * (Workload.TaskTime / took)), 10_000, 500_000_000);
    }

    /// <summary>Streams the workload's tasks through one placement and waits for all results.</summary>
    /// <exception cref="DemoFailedException">A task failed.</exception>
    public async Task<Heat> RunAsync(Workload workload, Contender contender, Action? onResult)
    {
        await using var stream = client.Contract.OpenTaskStream(
            new TaskStreamOptions { Defaults = new TaskOptions { Placement = contender.Placement } }, token);
        var started = Stopwatch.GetTimestamp();
        await stream.SubmitAsync(workload.Tasks, token);
        await stream.CompleteAsync();
        await foreach (var result in stream.ReadAllAsync(token))
        {
            if (result.State != TaskState.Succeeded)
                throw new DemoFailedException($"a task of {workload.Name}, {contender.Name}: {Output.Format.Failure(result)}");
            onResult?.Invoke();
        }

        return new Heat(workload, contender, Stopwatch.GetElapsedTime(started));
    }
}

/// <summary>A task of the demo failed.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
