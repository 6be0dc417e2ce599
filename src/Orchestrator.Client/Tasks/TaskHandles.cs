using System.Runtime.CompilerServices;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>Waits and combinations over handles, like Python's <c>concurrent.futures</c>.</summary>
public static class TaskHandles
{
    /// <summary>The outputs of all, in the order given. Throws the first one's failure, once all have ended.</summary>
    public static Task<T[]> WhenAll<T>(params IEnumerable<TaskHandle<T>> handles) =>
        Task.WhenAll(handles.Select(handle => handle.AsTask()));

#pragma warning disable IDE1006 // Named as what they are like: Task.WhenAny and Python's as_completed.
    /// <summary>The first task to end, successfully or not.</summary>
    public static async Task<TaskHandle<T>> WhenAny<T>(params IEnumerable<TaskHandle<T>> handles)
    {
        var byEnd = new Dictionary<Task, TaskHandle<T>>();
        foreach (var handle in handles)
            byEnd.TryAdd(handle.ResultTask, handle);
        if (byEnd.Count == 0)
            throw new ArgumentException("There is nothing to wait for: no handle was given.", nameof(handles));
        return byEnd[await Task.WhenAny(byEnd.Keys).ConfigureAwait(false)];
    }

    /// <summary>The handles as they end, successfully or not.</summary>
    public static async IAsyncEnumerable<TaskHandle<T>> AsCompleted<T>(
        IEnumerable<TaskHandle<T>> handles, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var byEnd = new Dictionary<Task, TaskHandle<T>>();
        foreach (var handle in handles)
            byEnd.TryAdd(handle.ResultTask, handle);
        await foreach (var ended in Task.WhenEach(byEnd.Keys).WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return byEnd[ended];
    }
#pragma warning restore IDE1006

    /// <summary>Waits for some of the tasks or all. A timeout is a result: unfinished tasks are pending.</summary>
    /// <param name="handles">The tasks.</param>
    /// <param name="condition">Which of them to wait for.</param>
    /// <param name="timeout">Null and <see cref="Timeout.InfiniteTimeSpan"/> wait without limit; zero only checks; the maximum is 49
    /// days.</param>
    /// <param name="cancellationToken">Ends the wait; the tasks go on.</param>
    public static async Task<TaskWaitResult> WaitAsync(
        IEnumerable<TaskHandle> handles, WaitCondition condition = WaitCondition.All, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handles);
        if (!Enum.IsDefined(condition))
            throw new ArgumentOutOfRangeException(nameof(condition), condition, "A wait is for All, FirstCompleted or FirstFailed.");
        if (timeout == Timeout.InfiniteTimeSpan)
            timeout = null;
        if (timeout is { } limit)
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, TimeSpan.Zero, nameof(timeout));
        TaskHandle[] all = [.. handles];
        if (timeout != TimeSpan.Zero)
        {
            try
            {
                await SatisfyAsync(all, condition).WaitAsync(timeout < ProtocolConstants.LongestTimer ? timeout.Value : timeout is null
                    ? Timeout.InfiniteTimeSpan : ProtocolConstants.LongestTimer, TimeProvider.System, cancellationToken)
                        .ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // Ended tasks are done, the rest are pending.
            }
        }

        var ended = all.ToLookup(handle => handle.IsCompleted);
        return new TaskWaitResult([.. ended[true]], [.. ended[false]]);
    }

    private static async Task SatisfyAsync(TaskHandle[] handles, WaitCondition condition)
    {
        await foreach (var ended in Task.WhenEach(handles.Select(handle => handle.ResultTask)).ConfigureAwait(false))
        {
            if (condition == WaitCondition.FirstCompleted
                || (condition == WaitCondition.FirstFailed && (ended.IsFaulted || ended.Result.State != TaskState.Succeeded)))
                return;
        }
    }
}
