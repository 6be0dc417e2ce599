using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>An accepted task. It need not be disposed or awaited: a task without a waiter ends by itself.</summary>
public abstract class TaskHandle
{
    private readonly TaskEvents _events;
    private readonly TaskCompletion _completion;
    private readonly TaskCalls _calls;

    private protected TaskHandle(TaskCalls calls, TaskEvents events, string handler, TaskCompletion completion)
    {
        _calls = calls;
        _events = events;
        _completion = completion;
        Handler = handler;
#pragma warning disable VSTHRD002 // A handle is made when its task has been accepted.
        Id = completion.Accepted.Result;
#pragma warning restore VSTHRD002
    }

    /// <summary>The task's id; 0 if the coordinator refused the task, which awaiting reports.</summary>
    public ulong Id { get; }

    /// <summary>The handler's name.</summary>
    public string Handler { get; }

    /// <summary>Whether its result is known.</summary>
    public bool IsCompleted => _completion.Result.IsCompleted;

    /// <summary>Waits for the result, success or failure.</summary>
    /// <param name="cancellationToken">Ends the wait, not the task.</param>
    /// <exception cref="TaskLostException">The connection was lost, and the outcome is unknown.</exception>
    public Task<TaskResult> GetResultAsync(CancellationToken cancellationToken = default) =>
        _completion.Result.WaitAsync(cancellationToken);

    /// <summary>The result; the same task object each time.</summary>
    internal Task<TaskResult> ResultTask => _completion.Result;

    /// <summary>Completes when the result is known, and never faults.</summary>
    public Task Completion => _completion.Result.ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>
    /// Cancels the task and waits for its end: a queued task ends at once; a running one is asked to stop, and its process is ended after
    /// its grace. Returns the result, which may be a success if the task finished first.
    /// </summary>
    /// <param name="force">Do not ask the task first: end its process.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<TaskResult> CancelAsync(bool force = false, CancellationToken cancellationToken = default)
    {
        if (!IsCompleted && Id != 0)
            await _calls.CancelAsync([Id], force, cancellationToken).ConfigureAwait(false);
        return await GetResultAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The task's events, from acceptance to end: states, progress, partial outputs and log lines. Any number of readers may read. The
    /// newest 1,000 are kept for late or slow readers. <see cref="TaskEvent.DroppedBefore"/> is the number of partial outputs missing
    /// before an event; if some are missing at the end, an otherwise empty event reports them before the result. A log line reports missing
    /// log lines.
    /// </summary>
    /// <exception cref="TaskLostException">The coordinator was lost.</exception>
    public IAsyncEnumerable<TaskEvent> EventsAsync(CancellationToken cancellationToken = default) =>
        _events.ReadAsync(this, cancellationToken);

    /// <summary>Its progress reports.</summary>
    public IAsyncEnumerable<Progress> ProgressAsync(CancellationToken cancellationToken = default) =>
        SelectAsync(TaskEvent.EventOneofCase.Progress, static item => item.Progress, cancellationToken);

    /// <summary>Its log lines; a line of level warning stands for missing ones.</summary>
    public IAsyncEnumerable<LogLine> LogAsync(CancellationToken cancellationToken = default) =>
        SelectAsync(TaskEvent.EventOneofCase.Log, static item => item.Log, cancellationToken);

    /// <summary>Its partial outputs, unconverted: the values that a generator handler yields.</summary>
    /// <exception cref="PartialsLostException">Some are missing: they came faster than they were read, or before the reader.
    /// <see cref="EventsAsync"/> continues past a gap.</exception>
    public async IAsyncEnumerable<Payload> PartialPayloadsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ulong last = 0;
        await foreach (var item in EventsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.DroppedBefore > 0)
                throw new PartialsLostException(Id, Handler, item.DroppedBefore, last, item.Sequence);
            last = item.Sequence;
            if (item.EventCase == TaskEvent.EventOneofCase.PartialOutput)
                yield return item.PartialOutput;
        }
    }

    /// <summary>Its partial outputs, by generated JSON code.</summary>
    /// <exception cref="PartialsLostException">As <see cref="PartialPayloadsAsync"/>.</exception>
    public async IAsyncEnumerable<T> PartialsAsync<T>(JsonTypeInfo<T> type, [EnumeratorCancellation]
    CancellationToken cancellationToken = default)
    {
        await foreach (var payload in PartialPayloadsAsync(cancellationToken).ConfigureAwait(false))
            yield return PayloadJson.Decode(payload, type);
    }

    /// <summary>Its partial outputs, by reflection.</summary>
    /// <exception cref="PartialsLostException">As <see cref="PartialPayloadsAsync"/>.</exception>
    [RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
    [RequiresDynamicCode(TaskFunction.NeedsReflection)]
    public async IAsyncEnumerable<T> PartialsAsync<T>([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var decode = PayloadReflection.Decoder<T>(null);
        await foreach (var payload in PartialPayloadsAsync(cancellationToken).ConfigureAwait(false))
            yield return decode(payload);
    }

    /// <summary>Throws if the task did not succeed.</summary>
    internal static TaskResult EnsureSucceeded(TaskResult result, string handler) =>
        result.State == TaskState.Succeeded ? result : throw TaskErrors.From(result, handler);

    private async IAsyncEnumerable<T> SelectAsync<T>(
        TaskEvent.EventOneofCase kind, Func<TaskEvent, T> select, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in EventsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.EventCase == kind)
                yield return select(item);
        }
    }
}

/// <summary>A task with an output. Await it.</summary>
/// <typeparam name="T">The output.</typeparam>
public sealed class TaskHandle<T> : TaskHandle
{
    private readonly Lazy<Task<T>> _output;

    internal TaskHandle(TaskCalls calls, TaskEvents events, string handler, TaskCompletion completion, Func<Payload?, T> decode)
        : base(calls, events, handler, completion) =>
#pragma warning disable VSTHRD011 // The factory blocks nothing: it returns at its first await.
        _output = new Lazy<Task<T>>(async () => decode(EnsureSucceeded(await completion.Result.ConfigureAwait(false), handler).Output));
#pragma warning restore VSTHRD011

    /// <summary>Waits for the output. Waiting does not cancel: <see cref="TaskHandle.CancelAsync"/> does.</summary>
    /// <exception cref="TaskFailedException">The handler failed.</exception>
    /// <exception cref="WorkerLostException">Its worker died.</exception>
    /// <exception cref="TaskTimeoutException">It took too long.</exception>
    /// <exception cref="RemoteTaskCanceledException">It was cancelled.</exception>
    /// <exception cref="TaskLostException">The outcome is unknown.</exception>
    public TaskAwaiter<T> GetAwaiter() => AsTask().GetAwaiter();

    /// <summary>The output as a local <see cref="Task{TResult}"/>, to combine with others.</summary>
    public Task<T> AsTask() => _output.Value;
}
