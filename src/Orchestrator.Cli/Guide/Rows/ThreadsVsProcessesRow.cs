using System.Diagnostics;
using Orchestrator.Cli.Output;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class ThreadsVsProcessesRow()
    : GuideRow("threads-vs-processes", "5.4", "memory, transfer and start, for threads and for processes")
{
    private static int s_count;

    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_count", (int _) => new Counted(Environment.ProcessId, Interlocked.Increment(ref s_count)));

    public override async Task RunAsync(GuideContext guide)
    {
        const int Tasks = 20;
        var threads = await CountAsync(guide, TaskPlacement.InProcess, Tasks);
        guide.Say($"{Tasks} tasks count in a static field of the program. On threads of one process it counts to " +
            $"{threads.Max(one => one.Count)}: they share its memory.");
        guide.Shows("threads share memory", threads.Max(one => one.Count) == Tasks && threads.All(one => one.Pid == Environment.ProcessId));
        var processes = await CountAsync(guide, TaskPlacement.CrossProcess, Tasks);
        var byProcess = processes.GroupBy(one => one.Pid).ToArray();
        guide.Say($"In worker processes it counts to {GuideContext.List(byProcess.Select(group => group.Max(one => one.Count)))}: each " +
            $"has its own field, and this process's is still {s_count}.");
        guide.Shows("processes do not", byProcess.Sum(group => group.Max(one => one.Count)) == Tasks && s_count == Tasks);

        ReadOnlyMemory<byte> megabyte = new byte[1_000_000];
        var echo = TaskFunction.Bytes("echo");
        await guide.Pool.RunAsync(echo, megabyte, cancellationToken: guide.Token);
        var copy = await GuideContext.TimeAsync(async () =>
        {
            for (var i = 0; i < 10; i++)
                await guide.Pool.RunAsync(echo, megabyte, cancellationToken: guide.Token);
        });
        guide.Say($"A megabyte to a worker and back takes {GuideContext.Show(copy / 10)}; between threads only a reference is passed.");

        var started = Stopwatch.GetTimestamp();
        var thread = new Thread(static () => { });
        thread.Start();
        thread.Join();
        var threadStart = Stopwatch.GetElapsedTime(started);
        var worker = (await guide.Client.Contract.GetStatusAsync(guide.Token)).Workers[0];
        guide.Say(
            $"A thread starts and ends in {GuideContext.Show(threadStart)}. A worker process has {Format.Bytes(worker.RssBytes)} of " +
            "memory and takes about as long to start as any");
        guide.Say(".NET program, which is why workers are started once, ahead, and a spare one stands by.");

        guide.Say("What that buys: a process can be ended. One worker is replaced now, under load.");
        var load = guide.Pool.MapAsync<object, int>("sleep", Enumerable.Repeat(new { ms = 20 }, 400), new MapOptions { MaxInFlight = 10 },
            guide.Token).CountAsync(guide.Token).AsTask();
        var recycle = await GuideContext.TimeAsync(() => guide.Client.RecycleWorkersAsync(worker.Name, cancellationToken: guide.Token));
        guide.Shows($"{worker.Name} was replaced by a new process in {GuideContext.Show(recycle)}, and none of {await load} tasks was lost",
            await load == 400 && (await guide.Client.Contract.GetStatusAsync(guide.Token)).Workers.All(one => one.Pid != worker.Pid));
    }

    private static async Task<Counted[]> CountAsync(GuideContext guide, TaskPlacement place, int tasks) =>
        await guide.Pool.WithPlacement(place).MapAsync<int, Counted>(
            "guide_count", Enumerable.Range(0, tasks), cancellationToken: guide.Token).ToArrayAsync(guide.Token);

    private sealed record Counted(int Pid, int Count);
}
