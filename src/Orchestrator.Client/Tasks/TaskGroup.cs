using System.Diagnostics.CodeAnalysis;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>
/// Tasks that belong together, like Python's <c>asyncio.TaskGroup</c>: the first failure cancels the rest, and the group ends only when all
/// its tasks have ended. Created by <see cref="TaskGroups.RunGroupAsync(IExecutor, Func{TaskGroup, Task}, CancellationToken)"/>.
/// </summary>
public sealed class TaskGroup
{
    private readonly IExecutor _executor;
    private readonly CancellationTokenSource _cancelling;
    private readonly Lock _gate = new();
    private readonly List<TaskHandle> _tasks = [];
    private readonly List<Task> _watches = [];
    private readonly List<Exception> _errors = [];
    private bool _closed;

    internal TaskGroup(IExecutor executor, CancellationToken cancellationToken)
    {
        _executor = executor;
        _cancelling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Fires when the group is cancelled, by the first failure or from outside; for waits of the body itself.</summary>
    public CancellationToken Cancellation => _cancelling.Token;

    /// <summary>Submits a task to the group.</summary>
    /// <exception cref="OperationCanceledException">The group has been cancelled meanwhile.</exception>
    /// <exception cref="InvalidOperationException">The group has ended.</exception>
    public async Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(TaskFunction<TIn, TOut> function, TIn input, RunOptions? options = null)
    {
        lock (_gate)
        {
            if (_closed)
                throw new InvalidOperationException("The group has ended; it takes no more tasks.");
        }

        var handle = await _executor.SubmitAsync(function, input, options, Cancellation).ConfigureAwait(false);
        bool late;
        lock (_gate)
        {
            late = _closed;
            _tasks.Add(handle);
            _watches.Add(WatchAsync(handle));
        }

        // The group was cancelled, or ended, while the task was being submitted.
        if (late || Cancellation.IsCancellationRequested)
            await CancelAsync(handle).ConfigureAwait(false);
        return handle;
    }

    /// <summary>Submits a task to the group, with JSON by reflection.</summary>
    [RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
    [RequiresDynamicCode(TaskFunction.NeedsReflection)]
    public Task<TaskHandle<T>> SubmitAsync<T>(string handler, object? input = null, RunOptions? options = null) =>
        SubmitAsync(TaskFunction.Json<object?, T>(handler), input, options);

    internal async Task RunAsync(Func<TaskGroup, Task> body)
    {
        await using var cancelling = _cancelling.Token.UnsafeRegister(static state => ((TaskGroup)state!).CancelTasks(), this)
            .ConfigureAwait(false);
        try
        {
            await body(this).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
            when (exception.CancellationToken == Cancellation || _cancelling.IsCancellationRequested)
        {
            // The failure that cancelled the group is more informative.
        }
        catch (Exception exception)
        {
            lock (_gate)
                _errors.Add(exception);
            await _cancelling.CancelAsync().ConfigureAwait(false);
        }

        await JoinAsync().ConfigureAwait(false);
    }

    private async Task JoinAsync()
    {
        // A task whose submission is still in progress joins the list.
        for (var joined = 0; ; joined++)
        {
            Task next;
            lock (_gate)
            {
                if (joined == _watches.Count)
                {
                    _closed = true;
                    break;
                }

                next = _watches[joined];
            }

            await next.ConfigureAwait(false);
        }

        Collect();
        if (_errors.Count > 0)
            throw new AggregateException("A task group failed.", _errors);
        Cancellation.ThrowIfCancellationRequested();
    }

    private void Collect()
    {
        foreach (var task in _tasks)
        {
            if (task.ResultTask.IsFaulted)
                _errors.Add(task.ResultTask.Exception.InnerException!);
#pragma warning disable VSTHRD002 // The group has joined: every task has ended.
            else if (task.ResultTask.Result is { State: not TaskState.Succeeded } result
#pragma warning restore VSTHRD002
                     && (result.State != TaskState.Cancelled || !Cancellation.IsCancellationRequested))
                _errors.Add(TaskErrors.From(result, task.Handler));
        }
    }

    private async Task WatchAsync(TaskHandle handle)
    {
        await handle.Completion.ConfigureAwait(false);
        if (handle.ResultTask.IsFaulted || handle.ResultTask.Result.State != TaskState.Succeeded)
            await _cancelling.CancelAsync().ConfigureAwait(false);
    }

    private void CancelTasks()
    {
        TaskHandle[] tasks;
        lock (_gate)
            tasks = [.. _tasks];
        foreach (var task in tasks)
            _ = CancelAsync(task);
    }

    private static async Task CancelAsync(TaskHandle task)
    {
        try
        {
            await task.CancelAsync().ConfigureAwait(false);
        }
        catch (OrchestratorException)
        {
            // If the coordinator cannot be reached, the task is reported as lost.
        }
    }
}
