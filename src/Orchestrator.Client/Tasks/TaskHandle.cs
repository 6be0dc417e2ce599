using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>A task that was accepted. Nothing has to be disposed: a task that nobody waits for ends by itself.</summary>
public abstract class TaskHandle
{
    private readonly TaskEvents _events;
    private readonly TaskCompletion _completion;
    private readonly OrchestratorClient _client;

    private protected TaskHandle(OrchestratorClient client, TaskEvents events, string handler, TaskCompletion completion)
    {
        _client = client;
        _events = events;
        _completion = completion;
        Handler = handler;
        Id = completion.Accepted.Result;
    }

    /// <summary>The task's id; 0 where the coordinator refused it, which awaiting tells.</summary>
    public ulong Id { get; }

    /// <summary>The handler's name.</summary>
    public string Handler { get; }

    /// <summary>Whether its end is known.</summary>
    public bool IsCompleted => _completion.Result.IsCompleted;

    /// <summary>Waits for its end; returns how it ended, well or not.</summary>
    /// <param name="cancellationToken">Ends the wait, not the task.</param>
    /// <exception cref="TaskLostException">The connection was lost, and what became of it can no longer be learned.</exception>
    public Task<TaskResult> GetResultAsync(CancellationToken cancellationToken = default) => _completion.Result.WaitAsync(cancellationToken);

    /// <summary>The same task each time.</summary>
    internal Task<TaskResult> ResultTask => _completion.Result;

    /// <summary>Completes when its end is known, and never faults.</summary>
    public Task Completion => _completion.Result.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>
    /// Cancels it and waits for its end: a queued task is gone at once, a running one is asked, and after its grace its process is ended. Answers with
    /// how it ended, which may be well, where it was faster.
    /// </summary>
    /// <param name="force">Do not ask first: end its process.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<TaskResult> CancelAsync(bool force = false, CancellationToken cancellationToken = default)
    {
        if (!IsCompleted && Id != 0)
            await _client.CancelAsync([Id], force, cancellationToken);
        return await GetResultAsync(cancellationToken);
    }

    /// <summary>
    /// All that happens to it, from its acceptance to its end: states, progress, partial outputs and log lines. Any number may read. The newest 1,000 are kept for one who
    /// comes late or does not keep up; <see cref="TaskEvent.DroppedBefore"/> says how many partial outputs are missing before an event, and at the end an event with
    /// nothing else says so before the result. Missing log lines are stated by a log line.
    /// </summary>
    /// <exception cref="TaskLostException">The coordinator was lost.</exception>
    public IAsyncEnumerable<TaskEvent> EventsAsync(CancellationToken cancellationToken = default) => _events.ReadAsync(this, cancellationToken);

    /// <summary>Its reports of progress.</summary>
    public IAsyncEnumerable<Progress> ProgressAsync(CancellationToken cancellationToken = default) =>
        SelectAsync(TaskEvent.EventOneofCase.Progress, static item => item.Progress, cancellationToken);

    /// <summary>Its log lines; one of level warning stands for those that are missing.</summary>
    public IAsyncEnumerable<LogLine> LogAsync(CancellationToken cancellationToken = default) =>
        SelectAsync(TaskEvent.EventOneofCase.Log, static item => item.Log, cancellationToken);

    /// <summary>Its partial outputs as they are: what a handler that is a generator yields.</summary>
    /// <exception cref="PartialsLostException">Some are missing, since they came faster than they were read, or before. <see cref="EventsAsync"/> goes on over a gap.</exception>
    public async IAsyncEnumerable<Payload> PartialPayloadsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ulong last = 0;
        await foreach (var item in EventsAsync(cancellationToken))
        {
            if (item.DroppedBefore > 0)
                throw new PartialsLostException(this, item.DroppedBefore, last, item.Sequence);
            last = item.Sequence;
            if (item.EventCase == TaskEvent.EventOneofCase.PartialOutput)
                yield return item.PartialOutput;
        }
    }

    /// <summary>Its partial outputs, by generated JSON code.</summary>
    /// <exception cref="PartialsLostException">As <see cref="PartialPayloadsAsync"/>.</exception>
    public async IAsyncEnumerable<T> PartialsAsync<T>(JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var payload in PartialPayloadsAsync(cancellationToken))
            yield return PayloadJson.Decode(payload, type);
    }

    /// <summary>Its partial outputs, by reflection.</summary>
    /// <exception cref="PartialsLostException">As <see cref="PartialPayloadsAsync"/>.</exception>
    [RequiresUnreferencedCode(TaskFunction.NeedsReflection)]
    [RequiresDynamicCode(TaskFunction.NeedsReflection)]
    public async IAsyncEnumerable<T> PartialsAsync<T>([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var decode = PayloadReflection.Decoder<T>(null);
        await foreach (var payload in PartialPayloadsAsync(cancellationToken))
            yield return decode(payload);
    }

    /// <summary>Throws where it did not succeed.</summary>
    internal static TaskResult EnsureSucceeded(TaskResult result, string handler) =>
        result.State == TaskState.Succeeded ? result : throw TaskErrors.From(result, handler);

    private async IAsyncEnumerable<T> SelectAsync<T>(
        TaskEvent.EventOneofCase kind, Func<TaskEvent, T> select, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in EventsAsync(cancellationToken))
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

    internal TaskHandle(OrchestratorClient client, TaskEvents events, string handler, TaskCompletion completion, Func<Payload?, T> decode)
        : base(client, events, handler, completion) =>
        _output = new Lazy<Task<T>>(async () => decode(EnsureSucceeded(await completion.Result, handler).Output));

    /// <summary>Waits for the output. Waiting does not cancel: <see cref="TaskHandle.CancelAsync"/> does.</summary>
    /// <exception cref="TaskFailedException">The handler failed.</exception>
    /// <exception cref="WorkerLostException">Its worker died.</exception>
    /// <exception cref="TaskTimeoutException">It took too long.</exception>
    /// <exception cref="RemoteTaskCanceledException">It was cancelled.</exception>
    /// <exception cref="TaskLostException">What became of it can no longer be learned.</exception>
    public TaskAwaiter<T> GetAwaiter() => AsTask().GetAwaiter();

    /// <summary>As a task of this process, to be combined with others.</summary>
    public Task<T> AsTask() => _output.Value;
}
