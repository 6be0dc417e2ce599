using Orchestrator.Client.Tasks;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class WorkerLocalRow() : GuideRow("worker-local", "4.5", "process-local and thread-local objects")
{
    // Like Python's threading.local(): each thread has its own value.
    [ThreadStatic]
    private static string? s_name;

    // The two threads of one process meet here: both write before either reads.
    private static readonly Barrier Meet = new(2);

    public override void MapHandlers(ITaskMap map)
    {
        map.MapTask("guide_visit", (WorkInput input, TaskContext context) =>
        {
            // Created when the first task of this process needs it, and kept for the next: a model, a connection, a cache.
            var mine = context.GetLocal(() => new Visits(Guid.NewGuid().ToString("N")[..6]));
            NumericHandlers.MonteCarloPi(new SamplesInput(input.Samples), context.CancellationToken);
            return new Visit(mine.Id, Interlocked.Increment(ref mine.Count), context.WorkerName);
        });

        // Blocking tasks of one worker have a thread each.
        map.MapTask("guide_thread_local", (string name, TaskContext context) =>
        {
            s_name = name;
            Meet.SignalAndWait(context.CancellationToken);
            return new ThreadView(s_name, Environment.CurrentManagedThreadId, Environment.ProcessId,
                context.GetLocal(() => new Visits("shared")).GetHashCode());
        }, new() { Kind = HandlerKind.Blocking });
    }

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("Twenty tasks ask for the worker's own object, and count their visits in it.");
        var visits = await guide.Pool.MapAsync<WorkInput, Visit>(
            "guide_visit", Enumerable.Repeat(new WorkInput(500_000), 20), cancellationToken: guide.Token).ToArrayAsync(guide.Token);
        var byWorker = visits.GroupBy(visit => visit.Worker).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        foreach (var worker in byWorker)
            guide.Say($"{worker.Key}: object {worker.First().Object}, visits {GuideContext.List(worker.Select(visit => visit.Number))}");
        guide.Shows("several workers took part", byWorker.Length > 1);
        guide.Shows("each has one object, which is no other's",
            byWorker.All(worker => worker.DistinctBy(visit => visit.Object).Count() == 1)
                && visits.DistinctBy(visit => visit.Object).Count() == byWorker.Length);
        guide.Shows("each counts its own visits without a gap: it lives from task to task",
            byWorker.All(worker => worker.Select(visit => visit.Number).Order().SequenceEqual(Enumerable.Range(1, worker.Count()))));

        guide.Say(
            "Two blocking tasks in one worker are two threads of one process. Each writes its name into a [ThreadStatic] field, meets " +
            "the other, and reads it:");
        var oneWorker = new RunOptions { AffinityKey = guide.Name("one") };
        var views = await TaskHandles.WhenAll(
            await guide.Pool.SubmitAsync<ThreadView>("guide_thread_local", "Thread-1", oneWorker, guide.Token),
            await guide.Pool.SubmitAsync<ThreadView>("guide_thread_local", "Thread-2", oneWorker, guide.Token));
        foreach (var view in views)
            guide.Say($"  process {view.Pid}, thread {view.Thread}: {view.Name}");
        guide.Shows("one process, two threads", views[0].Pid == views[1].Pid && views[0].Thread != views[1].Thread);
        guide.Shows("each reads what it wrote: thread-local", views.Select(view => view.Name).SequenceEqual(["Thread-1", "Thread-2"]));
        guide.Shows("the worker's object is the same for both: process-local", views[0].Shared == views[1].Shared);
    }

    private sealed class Visits(string id)
    {
        public int Count;

        public string Id => id;
    }

    private sealed record ThreadView(string Name, int Thread, int Pid, int Shared);

    private sealed record Visit(string Object, int Number, string Worker);
}
