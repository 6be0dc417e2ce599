using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Top;

/// <summary>The data that <c>orchestrator top</c> shows at one moment.</summary>
/// <param name="Address">The coordinator's address.</param>
/// <param name="Status">Its status.</param>
/// <param name="Running">The running tasks, longest first.</param>
/// <param name="Queues">Its queues, fullest first.</param>
/// <param name="At">When it was taken, by this machine's clock.</param>
internal sealed record TopSnapshot(
    Uri Address, ServiceStatus Status, IReadOnlyList<TaskInfo> Running, IReadOnlyList<QueueInfo> Queues, DateTimeOffset At)
{
    /// <summary>A worker's running tasks, longest first.</summary>
    public IEnumerable<TaskInfo> On(WorkerInfo worker) =>
        Running.Where(task => task.Attempts.LastOrDefault()?.Worker == $"{worker.Name}#{worker.Incarnation}");

    /// <summary>How long a task has run.</summary>
    public TimeSpan? AgeOf(TaskInfo task) => AgeOf(task.Attempts.LastOrDefault()?.StartedAt?.ToDateTimeOffset());

    /// <summary>The age of a worker's process; null if there is none.</summary>
    public TimeSpan? AgeOf(WorkerInfo worker) => AgeOf(worker.StartedAt?.ToDateTimeOffset());

    // The clocks of two machines may differ; an age is never negative.
    private TimeSpan? AgeOf(DateTimeOffset? start) => start is { } begin ? TimeSpan.FromTicks(Math.Max(0, (At - begin).Ticks)) : null;
}

/// <summary>Reads snapshots from a coordinator.</summary>
internal sealed class TopFeed(OrchestratorClient client)
{
    private const int MaxRunning = 200;

    public async Task<TopSnapshot> ReadAsync(CancellationToken token) =>
        await CompleteAsync(await client.Contract.GetStatusAsync(token), token);

    public async IAsyncEnumerable<TopSnapshot> WatchAsync(
        TimeSpan interval, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        await foreach (var status in client.Contract.WatchStatusAsync(interval, token))
            yield return await CompleteAsync(status, token);
    }

    private async Task<TopSnapshot> CompleteAsync(ServiceStatus status, CancellationToken token)
    {
        var queues = await client.Contract.ListQueuesAsync(token);
        return new TopSnapshot(
            client.Address,
            status,
            await RunningAsync(status, token),
            [.. queues.OrderByDescending(queue => queue.UnfinishedItems).ThenBy(queue => queue.Spec.Name, StringComparer.Ordinal)],
            TimeProvider.System.GetUtcNow());
    }

    private async Task<IReadOnlyList<TaskInfo>> RunningAsync(ServiceStatus status, CancellationToken token)
    {
        if (status.Tasks is null or { Running: 0 })
            return [];
        var page = await client.Contract.ListTasksAsync(
            new ListTasksRequest { PageSize = MaxRunning, States = { TaskState.Running } }, token);
        return [.. page.Tasks.OrderBy(task => task.Attempts.LastOrDefault()?.StartedAt?.ToDateTimeOffset()).ThenBy(task => task.TaskId)];
    }
}
