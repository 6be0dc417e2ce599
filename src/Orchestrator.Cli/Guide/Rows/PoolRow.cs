using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class PoolRow() : GuideRow("pool", "4.1–4.3", "a pool: map, submit, as_completed, and the states of a task")
{
    public override async Task RunAsync(GuideContext guide)
    {
        // The first is the slowest, so that the order of submission and that of completion differ.
        int[] milliseconds = [600, 300, 0];
        var inputs = milliseconds.Select(ms => new { ms });
        var mapped = new List<int>();
        var took = await GuideContext.TimeAsync(async () =>
        {
            await foreach (var ms in guide.Pool.MapAsync<object, int>("sleep", inputs, cancellationToken: guide.Token))
                mapped.Add(ms);
        });
        guide.Say(
            $"map over tasks of {GuideContext.List(milliseconds)} ms, in the workers: {GuideContext.List(mapped)} after " +
            $"{GuideContext.Show(took)}.");
        guide.Shows("map keeps the order of its inputs", mapped.SequenceEqual(milliseconds));

        var handles = new List<TaskHandle<int>>();
        foreach (var ms in milliseconds)
            handles.Add(await guide.Pool.SubmitAsync<int>("sleep", new { ms }, cancellationToken: guide.Token));
        guide.Shows("submit returns a future at once", !handles[0].IsCompleted);
        var completed = new List<int>();
        await foreach (var handle in TaskHandles.AsCompleted(handles, guide.Token))
            completed.Add(await handle);
        guide.Say($"as_completed over the same: {GuideContext.List(completed)}.");
        guide.Shows("as_completed gives the first that ends first", completed.SequenceEqual([0, 300, 600]));

        var states = new List<RunState>();
        await foreach (var item in handles[0].EventsAsync(guide.Token))
        {
            if ((item.State ?? item.Result?.State) is { } state)
                states.Add(state);
        }

        guide.Say($"NEW → RUNNABLE → RUNNING → TERMINATED is here {string.Join(" → ", states.Distinct())}; every change is an event that " +
            "can be followed, also afterwards.");
        guide.Shows("a task is queued, runs and ends in exactly one end state",
            states.Distinct().SequenceEqual([RunState.Queued, RunState.Running, RunState.Succeeded]));
        await BlockedAsync(guide);
    }

    /// <summary>The additional state: the list distinguishes a waiting thread from a computing one.</summary>
    private static async Task BlockedAsync(GuideContext guide)
    {
        var name = guide.Name("door");
        await using var session = await guide.OpenSessionAsync("pool-guide");
        var hold = await session.Lock(name).AcquireAsync(guide.Token);
        var task = await guide.Pool.SubmitAsync<ulong[]>("hold", new { locks = new[] { name } }, cancellationToken: guide.Token);
        await guide.UntilWaitersAsync($"locks/{name}", 1);
        var behind = await guide.Pool.SubmitAsync<int>("echo", 1, new RunOptions { DependsOn = [task.Id] }, guide.Token);
        var wait = (await guide.Client.Contract.ExplainWaitsAsync(guide.Token)).First(edge => edge.Object == $"locks/{name}");
        guide.Say(
            $"RUNNING → BLOCKED: {wait.WaiterName} waits at {wait.Object}, which {wait.HolderName} holds. It keeps its place in its " +
            "worker; `orchestrator waits` shows it.");
        guide.Shows("BLOCKED is a task that runs, and an edge from it to the holder of what it waits for",
            (await guide.Client.Contract.GetTaskAsync(task.Id, guide.Token)).State == TaskState.Running
                && wait.HolderName.Contains("pool-guide", StringComparison.Ordinal));
        guide.Shows("WAITING for another task is QUEUED: it has no place in a worker yet",
            (await guide.Client.Contract.GetTaskAsync(behind.Id, guide.Token)).State == TaskState.Queued);
        await hold.DisposeAsync();
        await task;
        guide.Shows("and both go on when it is free", await behind == 1);
    }
}
