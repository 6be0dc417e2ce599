using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks.Streams;

/// <summary>
/// Recovers tasks whose stream broke: they go on at the coordinator, so they are queried by id, and so are durable ones after a restart of
/// the coordinator. A task that the coordinator no longer knows, or that only an earlier instance knew, is reported as lost.
/// </summary>
internal sealed class TaskRecovery(TaskCalls calls, ResilientTaskStream stream) : IAsyncDisposable
{
    private const int QueriesAtOnce = 32;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, OpenTask> _open = [];
    private readonly HashSet<Task> _running = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Whether tasks are being recovered.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
                return _running.Count > 0;
        }
    }

    /// <summary>Starts to recover tasks.</summary>
    /// <param name="tasks">The tasks, already removed from their stream.</param>
    /// <param name="instance">The coordinator instance to which they were submitted.</param>
    public void Add(IReadOnlyList<OpenTask> tasks, string instance)
    {
        lock (_gate)
        {
            foreach (var task in tasks)
                _open[task.Spec.Tag] = task;
            // On the pool: the caller may be a stream's reader, which must not block.
            var running = Task.Run(() => RecoverAsync([.. tasks], instance));
            _running.Add(running);
            _ = running.ContinueWith(ended => { lock (_gate) _running.Remove(ended); }, TaskScheduler.Default);
        }
    }

    /// <summary>Cancels the sink's tasks, or all.</summary>
    public void Cancel(TaskResultObserver? observer)
    {
        ulong[] ids;
        lock (_gate)
            ids = [.. _open.Values.Where(task => task.TaskId != 0 && (observer is null || task.Observer == observer))
                .Select(task => task.TaskId)];
        if (ids.Length > 0)
            _ = CancelAsync(ids);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_gate)
            running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task CancelAsync(ulong[] ids)
    {
        try
        {
            await calls.Contract.CancelAsync(ids, cancellationToken: _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OrchestratorException or OperationCanceledException or ObjectDisposedException)
        {
            // If the coordinator cannot be reached, the tasks are reported as lost anyway.
        }
    }

    private async Task RecoverAsync(List<OpenTask> tasks, string instance)
    {
        var left = tasks;
        try
        {
            while (left.Count > 0)
            {
                var connection = await stream.ConnectedAsync(_stopping.Token).ConfigureAwait(false);
                if (connection.Instance != instance)
                {
                    Lose(left.Where(task => !IsDurable(task)), "the coordinator was started again");
                    left = [.. left.Where(IsDurable)];
                    instance = connection.Instance;
                }

                left = await AskAsync(left).ConfigureAwait(false);
                if (left.Count > 0)
                    await Task.Delay(Pause, TimeProvider.System, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or ObjectDisposedException && _stopping.IsCancellationRequested)
        {
            ResilientTaskStream.Lose(Forget(left), "the client was disposed");
        }
        catch (Exception exception)
        {
            ResilientTaskStream.Lose(Forget(left), "the coordinator could not be reached again", exception);
        }
    }

    /// <summary>Queries each task; returns those still open.</summary>
    private async Task<List<OpenTask>> AskAsync(List<OpenTask> tasks)
    {
        foreach (var task in tasks.Where(task => task.TaskId == 0).ToList())
        {
            tasks.Remove(task);
            // The request id joins the first submission, if it arrived.
            if (task.Spec.RequestId.Length > 0)
                Resubmit(task);
            else
                Lose([task], "the connection broke before the coordinator had accepted it");
        }

        var running = new List<OpenTask>();
        try
        {
            foreach (var batch in tasks.Chunk(QueriesAtOnce))
                running.AddRange((await Task.WhenAll(batch.Select(FindAsync)).ConfigureAwait(false)).OfType<OpenTask>());
            return running.Count > 0 ? await WatchAsync(running).ConfigureAwait(false) : running;
        }
        catch (CoordinatorUnavailableException)
        {
            lock (_gate)
                return [.. tasks.Where(task => _open.ContainsKey(task.Spec.Tag))];
        }
    }

    /// <summary>Queries one task; null if it has ended or is lost.</summary>
    private async Task<OpenTask?> FindAsync(OpenTask task)
    {
        try
        {
            var info = await calls.Contract.GetTaskAsync(task.TaskId, _stopping.Token).ConfigureAwait(false);
            if (info.Result is null || info.State < TaskState.Succeeded)
                return task;
            Settle(task, info.Result);
        }
        catch (OrchestratorException exception) when (exception.Reason == FailureReason.NotFound)
        {
            Lose([task], "the connection broke, and the coordinator no longer knows it");
        }

        return null;
    }

    /// <summary>Waits for running tasks; returns those still open.</summary>
    private async Task<List<OpenTask>> WatchAsync(List<OpenTask> tasks)
    {
        var open = tasks.ToDictionary(task => task.TaskId);
        try
        {
            await foreach (var item in calls.Contract.WatchTasksAsync([.. open.Keys], cancellationToken: _stopping.Token)
                .ConfigureAwait(false))
            {
                if (item.EventCase == TaskEvent.EventOneofCase.Result && open.Remove(item.TaskId, out var task))
                    Settle(task, item.Result);
            }
        }
        catch (OrchestratorException exception) when (exception is CoordinatorUnavailableException
            || exception.Reason == FailureReason.NotFound || exception.StatusCode is StatusCode.ResourceExhausted or StatusCode.Unavailable)
        {
            // The tasks are queried again one by one.
        }

        return [.. open.Values];
    }

    private void Settle(OpenTask task, TaskResult result)
    {
        if (!Forget(task))
            return;
        // The tag holds a random number: a task of this id of another instance has a different tag.
        if (result.Tag == task.Spec.Tag)
            task.Observer.OnResult(task.Sequence, result);
        else
            ResilientTaskStream.Lose([task], "the coordinator was started again");
    }

    private void Lose(IEnumerable<OpenTask> tasks, string why)
    {
        foreach (var task in Forget(tasks))
        {
            if (task.Observer.ResubmitWhenLost)
                Resubmit(task);
            else
                ResilientTaskStream.Lose([task], why);
        }
    }

    private static bool IsDurable(OpenTask task) => task.Spec.Options?.Durability is Durability.Process or Durability.Disk;

    private void Resubmit(OpenTask task)
    {
        Forget(task);
        _ = stream.ResubmitAsync(task, _stopping.Token);
    }

    private List<OpenTask> Forget(IEnumerable<OpenTask> tasks) => [.. tasks.Where(Forget)];

    private bool Forget(OpenTask task)
    {
        lock (_gate)
            return _open.Remove(task.Spec.Tag);
    }
}
