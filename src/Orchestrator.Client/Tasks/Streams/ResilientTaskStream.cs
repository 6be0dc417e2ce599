using Orchestrator.Client.Connection;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks.Streams;

/// <summary>
/// A task stream that any number of callers share, and that is reopened when it breaks. It neither loses a task silently nor runs one
/// twice: tasks not yet sent are submitted on the next connection; sent ones are queried by id, or reported as lost.
/// </summary>
internal sealed partial class ResilientTaskStream : IAsyncDisposable
{
    private readonly TaskCalls _calls;
    private readonly Lock _gate = new();
    private readonly SlotTable _slots = new();
    private readonly TaskRecovery _recovery;
    private volatile StreamConnection? _connection;
    private bool _disposed;

    public ResilientTaskStream(TaskCalls calls)
    {
        _calls = calls;
        _recovery = new TaskRecovery(calls, this);
    }

    /// <summary>The coordinator instance last reached.</summary>
    public string Instance { get; private set; } = "";

    public bool IsConnected => _connection is { IsBroken: false };

    /// <summary>The number of tasks without a known result.</summary>
    public int OpenTasks
    {
        get
        {
            lock (_gate)
                return _slots.Count;
        }
    }

    /// <summary>
    /// Submits one task, waiting for room and for a connection. When it fails or is cancelled, the task has not been submitted.
    /// </summary>
    /// <exception cref="CoordinatorUnavailableException">There was no connection within
    /// <see cref="OrchestratorClientOptions.ReconnectFor"/>.</exception>
    public ValueTask<ulong> SubmitAsync(TaskResultObserver observer, long sequence, TaskSpec spec, CancellationToken cancellationToken)
    {
        if (_connection is not { IsBroken: false } connection)
            return ConnectAndSubmitAsync(observer, sequence, spec, cancellationToken);
        var tag = Add(observer, sequence, spec);
        ValueTask submitting;
        try
        {
            submitting = connection.Stream.SubmitAsync(spec, cancellationToken);
        }
        catch (Exception exception)
        {
            Remove(tag);
            return exception is OrchestratorException
                ? ConnectAndSubmitAsync(observer, sequence, spec, cancellationToken)
                : ValueTask.FromException<ulong>(exception);
        }

        if (!submitting.IsCompletedSuccessfully)
            return AwaitRoomAsync(submitting, tag, connection, observer, sequence, spec, cancellationToken);
        MarkSent(tag, connection);
        return new ValueTask<ulong>(tag);
    }

    /// <summary>Cancels the tasks of a sink: those on the stream by their tags, those being recovered by their ids.</summary>
    public void CancelAll(TaskResultObserver? observer)
    {
        List<ulong> tags;
        lock (_gate)
            tags = _slots.TagsOf(observer);
        if (tags.Count > 0)
            Cancel(tags);
        _recovery.Cancel(observer);
    }

    /// <summary>Cancels one task.</summary>
    public void Cancel(ulong tag, TaskResultObserver observer)
    {
        Cancel([tag]);
        _recovery.Cancel(observer);
    }

    public async ValueTask DisposeAsync()
    {
        StreamConnection? connection;
        lock (_gate)
        {
            _disposed = true;
            connection = _connection;
        }

        // When the connection closes, the coordinator would treat the tasks as detached, and they no longer have a waiter.
        CancelAll(null);
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (connection is not null)
        {
            await connection.Stream.CompleteAsync().WaitAsync(FlushLimit, TimeProvider.System).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            await connection.Stream.DisposeAsync().ConfigureAwait(false);
        }

        if (_running is { } running)
            await running.ConfigureAwait(false);
        await _recovery.DisposeAsync().ConfigureAwait(false);
        List<OpenTask> left;
        lock (_gate)
            left = _slots.TakeSent();
        Lose(left, "the client was disposed while the task was under way");
        _stopping.Dispose();
    }

    internal static void Lose(IEnumerable<OpenTask> tasks, string why, Exception? cause = null)
    {
        foreach (var task in tasks)
            task.Observer.OnLost(
                task.Sequence, new TaskLostException($"{Name(task)} is lost: {why}; whether it ran is not known", task.TaskId, cause));
    }

    /// <summary>Resubmits a task unchanged.</summary>
    internal async Task ResubmitAsync(OpenTask task, CancellationToken cancellationToken)
    {
        try
        {
            await SubmitAsync(task.Observer, task.Sequence, task.Spec, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Lose([task], "it could not be submitted again", exception);
        }
    }

    private static string Name(OpenTask task) =>
        task.TaskId == 0 ? $"a task ('{task.Spec.Handler}')" : $"task {task.TaskId} ('{task.Spec.Handler}')";

    private async ValueTask<ulong> ConnectAndSubmitAsync(
        TaskResultObserver observer, long sequence, TaskSpec spec, CancellationToken cancellationToken)
    {
        while (true)
        {
            var connection = await ConnectedAsync(cancellationToken).ConfigureAwait(false);
            var tag = Add(observer, sequence, spec);
            try
            {
                await connection.Stream.SubmitAsync(spec, cancellationToken).ConfigureAwait(false);
                MarkSent(tag, connection);
                return tag;
            }
            catch (OrchestratorException)
            {
                // The connection ended before it took the task: retry on the next one.
                Remove(tag);
                connection.Break();
            }
            catch
            {
                Remove(tag);
                throw;
            }
        }
    }

    private async ValueTask<ulong> AwaitRoomAsync(
        ValueTask submitting, ulong tag, StreamConnection connection, TaskResultObserver observer, long sequence, TaskSpec spec,
        CancellationToken cancellationToken)
    {
        try
        {
            await submitting.ConfigureAwait(false);
            MarkSent(tag, connection);
            return tag;
        }
        catch (OrchestratorException)
        {
            Remove(tag);
            connection.Break();
        }
        catch
        {
            Remove(tag);
            throw;
        }

        return await ConnectAndSubmitAsync(observer, sequence, spec, cancellationToken).ConfigureAwait(false);
    }

    private ulong Add(TaskResultObserver observer, long sequence, TaskSpec spec)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, _calls.Owner);
            return _slots.Add(observer, sequence, spec);
        }
    }

    private void Remove(ulong tag)
    {
        lock (_gate)
            _slots.Remove(tag, out _);
    }

    private void MarkSent(ulong tag, StreamConnection connection)
    {
        OpenTask orphan;
        lock (_gate)
        {
            // The stream may have broken since, and its sent tasks may already have been collected.
            if (!_slots.MarkSent(tag) || !connection.IsSettled)
                return;
            _slots.Remove(tag, out orphan);
        }

        Recover([orphan], connection);
    }

    private void Cancel(IReadOnlyList<ulong> tags)
    {
        try
        {
            _connection?.Stream.Cancel(tags);
        }
        catch (InvalidOperationException)
        {
            // The stream has been completed: disposing it cancels its tasks.
        }
    }

    private void OnAccepted(IReadOnlyList<ulong> tags, IReadOnlyList<ulong> ids)
    {
        for (var i = 0; i < tags.Count && i < ids.Count; i++)
        {
            bool here;
            OpenTask task;
            lock (_gate)
                here = _slots.Accept(tags[i], ids[i], out task);
            if (here)
                task.Observer.OnAccepted(task.Sequence, ids[i]);
        }
    }

    private void OnResult(TaskResult result)
    {
        bool here;
        OpenTask task;
        lock (_gate)
            here = _slots.Remove(result.Tag, out task);
        if (here)
            task.Observer.OnResult(task.Sequence, result);
    }

    private IResultContinuation? OnLoneResult(TaskResult result)
    {
        bool here;
        OpenTask task;
        lock (_gate)
            here = _slots.Remove(result.Tag, out task);
        return here ? task.Observer.OnLoneResult(task.Sequence, result) : null;
    }
}
