using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>An accepted task. It need not be disposed or awaited: a task without a waiter ends by itself.</summary>
public abstract class TaskHandle
{
    private readonly TaskEvents? _events;
    private readonly TaskCalls? _calls;
    private readonly Func<bool, CancellationToken, Task>? _cancel;

    private protected TaskHandle(TaskCalls calls, TaskEvents events, string handler, TaskCompletion completion)
    {
        _calls = calls;
        _events = events;
        ResultTask = completion.Result;
        Handler = handler;
#pragma warning disable VSTHRD002 // A handle is made when its task has been accepted.
        Id = completion.Accepted.Result;
#pragma warning restore VSTHRD002
    }

    private protected TaskHandle(string handler, ulong id, Task<TaskResult> result, Func<bool, CancellationToken, Task>? cancel)
    {
        Handler = handler;
        Id = id;
        ResultTask = result;
        _cancel = cancel;
    }

    /// <summary>The task's id; 0 if the coordinator refused the task, which awaiting reports.</summary>
    public ulong Id { get; }

    /// <summary>The handler's name.</summary>
    public string Handler { get; }

    /// <summary>Whether its result is known.</summary>
    public bool IsCompleted => ResultTask.IsCompleted;

    /// <summary>Waits for the result, success or failure.</summary>
    /// <param name="cancellationToken">Ends the wait, not the task.</param>
    /// <exception cref="TaskLostException">The connection was lost, and the outcome is unknown.</exception>
    public async Task<RunResult> GetResultAsync(CancellationToken cancellationToken = default) =>
        RunResult.From(await ResultTask.WaitAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>The result; the same task object each time.</summary>
    internal Task<TaskResult> ResultTask { get; }

    /// <summary>Completes when the result is known, and never faults.</summary>
    public Task Completion => ResultTask.ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>
    /// Cancels the task and waits for its end: a queued task ends at once; a running one is asked to stop, and its process is ended after
    /// its grace. Returns the result, which may be a success if the task finished first.
    /// </summary>
    /// <param name="force">Do not ask the task first: end its process.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<RunResult> CancelAsync(bool force = false, CancellationToken cancellationToken = default)
    {
        if (!IsCompleted && _cancel is not null)
            await _cancel(force, cancellationToken).ConfigureAwait(false);
        else if (!IsCompleted && Id != 0 && _calls is not null)
            await _calls.Contract.CancelAsync([Id], force, cancellationToken).ConfigureAwait(false);
        return await GetResultAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The task's events, from acceptance to end: states, progress, partial outputs and log lines. Any number of readers may read. The
    /// newest 1,000 are kept for late or slow readers. <see cref="TaskUpdate.DroppedBefore"/> is the number of partial outputs missing
    /// before an event; if some are missing at the end, an otherwise empty event reports them before the result. A log line reports missing
    /// log lines.
    /// </summary>
    /// <exception cref="TaskLostException">The coordinator was lost.</exception>
    public async IAsyncEnumerable<TaskUpdate> EventsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var item in MessagesAsync(cancellationToken).ConfigureAwait(false))
            yield return TaskUpdate.From(item);
    }

    /// <summary>Its progress reports.</summary>
    public async IAsyncEnumerable<TaskProgress> ProgressAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var item in MessagesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.EventCase == TaskEvent.EventOneofCase.Progress)
                yield return TaskProgress.From(item.Progress);
        }
    }

    /// <summary>Its log lines; a line of level warning stands for missing ones.</summary>
    public async IAsyncEnumerable<TaskLogLine> LogAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var item in MessagesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.EventCase == TaskEvent.EventOneofCase.Log)
                yield return TaskLogLine.From(item.Log);
        }
    }

    /// <summary>Its partial outputs, by generated JSON code: the values that a generator handler yields.</summary>
    /// <exception cref="PartialsLostException">Some are missing: they came faster than they were read, or before the reader.
    /// <see cref="EventsAsync"/> continues past a gap.</exception>
    public IAsyncEnumerable<T> PartialsAsync<T>(JsonTypeInfo<T> type, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        return DecodeAsync(payload => PayloadJson.Decode(payload, type), cancellationToken);
    }

    /// <summary>Its partial outputs, by reflection; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> unconverted.</summary>
    /// <exception cref="PartialsLostException">As with generated code.</exception>
    [RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
    [RequiresDynamicCode(TaskFunction.NeedsReflection)]
    public IAsyncEnumerable<T> PartialsAsync<T>(CancellationToken cancellationToken = default) =>
        DecodeAsync(PayloadReflection.Decoder<T>(null), cancellationToken);

    internal async IAsyncEnumerable<Payload> PartialPayloadsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ulong last = 0;
        await foreach (var item in MessagesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.DroppedBefore > 0)
                throw new PartialsLostException(Id, Handler, item.DroppedBefore, last, item.Sequence);
            last = item.Sequence;
            if (item.EventCase == TaskEvent.EventOneofCase.PartialOutput)
                yield return item.PartialOutput;
        }
    }

    private async IAsyncEnumerable<T> DecodeAsync<T>(
        Func<Payload?, T> decode, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var payload in PartialPayloadsAsync(cancellationToken).ConfigureAwait(false))
            yield return TaskOutputs.Decode(decode, payload, "partial output", Handler, Id);
    }

    private IAsyncEnumerable<TaskEvent> MessagesAsync(CancellationToken cancellationToken) =>
        _events?.ReadAsync(this, cancellationToken) ?? ResultOnlyAsync(cancellationToken);

    private async IAsyncEnumerable<TaskEvent> ResultOnlyAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new TaskEvent
        {
            TaskId = Id,
            Sequence = 1,
            Result = await ResultTask.WaitAsync(cancellationToken).ConfigureAwait(false),
        };
    }
}

/// <summary>A task with an output. Await it.</summary>
/// <typeparam name="T">The output.</typeparam>
public sealed class TaskHandle<T> : TaskHandle
{
    private readonly Lazy<Task<T>>? _output;
    private readonly Task<T>? _local;

    /// <summary>A handle of a local task, for tests of a program's own code.</summary>
    /// <param name="output">Its output. An exception other than one of this SDK's counts as one that the handler threw.</param>
    /// <param name="handler">The handler's name.</param>
    /// <param name="id">The task's id.</param>
    /// <param name="cancel">Called by <see cref="TaskHandle.CancelAsync"/> with its <c>force</c>; null leaves the task alone.</param>
    public TaskHandle(Task<T> output, string handler = "", ulong id = 1, Func<bool, CancellationToken, Task>? cancel = null)
        : base(handler, id, LocalResult.OfAsync(output, id), cancel) =>
        _local = output;

    internal TaskHandle(TaskCalls calls, TaskEvents events, string handler, TaskCompletion completion, Func<Payload?, T> decode)
        : base(calls, events, handler, completion) =>
#pragma warning disable VSTHRD011 // The factory blocks nothing: it returns at its first await.
        _output = new Lazy<Task<T>>(async () => TaskOutputs.Read(decode, await completion.Result.ConfigureAwait(false), handler));
#pragma warning restore VSTHRD011

    /// <summary>Waits for the output. Waiting does not cancel: <see cref="TaskHandle.CancelAsync"/> does.</summary>
    /// <exception cref="TaskFailedException">The handler failed.</exception>
    /// <exception cref="WorkerLostException">Its worker died.</exception>
    /// <exception cref="TaskTimeoutException">It took too long.</exception>
    /// <exception cref="RemoteTaskCanceledException">It was cancelled.</exception>
    /// <exception cref="TaskLostException">The outcome is unknown.</exception>
    /// <exception cref="System.Text.Json.JsonException">The output is no <typeparamref name="T"/>.</exception>
    public TaskAwaiter<T> GetAwaiter() => AsTask().GetAwaiter();

    /// <summary>The output as a local <see cref="Task{TResult}"/>, to combine with others.</summary>
    public Task<T> AsTask() => _local ?? _output!.Value;
}
