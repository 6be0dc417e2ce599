using System.Threading.Channels;
using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>
/// Sends tasks and receives results over one call. Submit from any number of threads; results arrive through
/// <see cref="ReadAllAsync"/> or through <see cref="TaskStreamOptions.OnResult"/>.
/// </summary>
/// <remarks>
/// Submitting waits while the stream is full; unfinished tasks and unread results count. A program that submits more
/// tasks than fit must read at the same time. The tasks queued since the last message go into the next one: batches
/// grow under load, and an idle stream sends each task at once.
/// </remarks>
public sealed class TaskStream : IAsyncDisposable
{
    private static readonly TimeSpan OrderlyEnd = TimeSpan.FromSeconds(1);

    private readonly AsyncDuplexStreamingCall<StreamTasksRequest, StreamTasksResponse> _call;
    private readonly TaskStreamOptions _options;
    private readonly CoordinatorCalls _calls;
    private readonly TaskRequestWriter _writer;
    private readonly Channel<IReadOnlyList<TaskResult>>? _results;
    private readonly TaskCompletionSource _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _disposed;

    internal TaskStream(
        AsyncDuplexStreamingCall<StreamTasksRequest, StreamTasksResponse> call,
        TaskStreamOptions options,
        CoordinatorCalls calls)
    {
        _call = call;
        _options = options;
        _calls = calls;
        _writer = new TaskRequestWriter(call.RequestStream, options);
        if (options.OnResult is null)
        {
            // Never longer than the stream's credits, though unbounded: a slot is freed when its result is read.
            _results = Channel.CreateUnbounded<IReadOnlyList<TaskResult>>();
        }

        Completion = Task.Run(ReadAsync);
    }

    /// <summary>Ends with the stream: after the last result, or with the error that broke it.</summary>
    public Task Completion { get; }

    /// <summary>The coordinator instance that the stream reached; known once <see cref="Granted"/> has ended.</summary>
    internal string Instance { get; private set; } = "";

    /// <summary>Ends when the coordinator has reported how many tasks the stream may hold.</summary>
    internal Task Granted => _granted.Task;

    /// <summary>The coordinator is shutting down: read the remaining results, submit elsewhere.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Requests written so far; with <see cref="TasksWritten"/> it gives the batch size.</summary>
    public long MessagesWritten => _writer.Messages;

    /// <summary>Tasks written so far.</summary>
    public long TasksWritten => _writer.Tasks;

    /// <summary>Sends the stream's options at once, so that the coordinator answers before there is a task.</summary>
    internal void Greet() => _writer.Greet();

    /// <summary>Submits one task, waiting for room. A cancelled wait submits nothing.</summary>
    public ValueTask SubmitAsync(TaskSpec task, CancellationToken cancellationToken = default) =>
        _writer.SubmitAsync(task, cancellationToken);

    /// <summary>
    /// Submits tasks in order, waiting for room. When the wait is cancelled, some of the first tasks may have been
    /// submitted; the rest never are.
    /// </summary>
    public ValueTask SubmitAsync(IReadOnlyList<TaskSpec> tasks, CancellationToken cancellationToken = default) =>
        _writer.SubmitAsync(tasks, cancellationToken);

    /// <summary>
    /// Cancels tasks of this stream by their tags. Each still produces a result. After <see cref="CompleteAsync"/>
    /// the stream takes no requests; only disposing it cancels.
    /// </summary>
    public void Cancel(params IEnumerable<ulong> tags) => _writer.Cancel(tags);

    /// <summary>Ends the sending side once all submitted tasks have been written. Results keep arriving.</summary>
    public Task CompleteAsync() => _writer.CompleteAsync();

    /// <summary>The results, until the stream has ended.</summary>
    public async IAsyncEnumerable<TaskResult> ReadAllAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var batch in ReadBatchesAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var result in batch)
                yield return result;
        }
    }

    /// <summary>The results in the batches in which they arrived.</summary>
    public async IAsyncEnumerable<IReadOnlyList<TaskResult>> ReadBatchesAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (_results is null)
            throw new InvalidOperationException("This stream hands its results to OnResult.");
        await foreach (var batch in _results.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            _writer.Release(batch.Count);
            yield return batch;
        }
    }

    /// <summary>Ends the call; unfinished tasks are cancelled unless they were to be detached.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        if (!Completion.IsCompleted && _writer.TryFinishIdle())
        {
            // No task is open, so an orderly end costs one round trip. A few hundred short streams in a row that end by
            // reset would look like an attack to the server, which then closes the connection with all its calls.
            await Task.WhenAny(Completion, Task.Delay(OrderlyEnd, TimeProvider.System)).ConfigureAwait(false);
        }

        _call.Dispose();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ReadAsync()
    {
        try
        {
            await new LeaderFollowerReader<StreamTasksResponse, IResultContinuation>(
                _call.ResponseStream, Take, Proceed, CancellationToken.None).RunAsync().ConfigureAwait(false);
            _writer.End();
            _results?.Writer.TryComplete();
        }
        catch (Exception exception)
        {
            // Includes exceptions of an OnResult callback, which are reported only here.
            var error = exception switch
            {
                RpcException or OperationCanceledException when _disposed => new ObjectDisposedException(nameof(TaskStream)),
                RpcException rpc => _calls.Map(rpc),
                OperationCanceledException cancelled => _calls.Broken(cancelled),
                _ => exception,
            };
            _writer.Fail(error);
            _results?.Writer.TryComplete(error);
            _call.Dispose();
            if (error != exception)
                throw error;
            throw;
        }
    }

    private void Take(StreamTasksResponse response, List<IResultContinuation> continuations)
    {
        if (response.Draining)
            IsDraining = true;
        if (_options.OnEvent is { } onEvent)
        {
            foreach (var taskEvent in response.Events)
                onEvent(taskEvent);
        }

        if (response.Instance.Length > 0)
            Instance = response.Instance;
        if (response.AcceptedTags.Count > 0)
            _options.OnAccepted?.Invoke(response.AcceptedTags, response.AcceptedTaskIds);
        if (response.Credits > 0)
        {
            _writer.SetWindow((int)Math.Min(response.Credits, int.MaxValue), first: !_granted.Task.IsCompleted);
            _granted.TrySetResult();
        }

        if (response.Results.Count == 0)
            return;
        if (_results is not null)
            _results.Writer.TryWrite(response.Results);
        else if (response.Results.Count > 1 || _options.OnLoneResult is null)
            HandOut(response);
        else if (TakeLone(response.Results[0]) is { } continuation)
            continuations.Add(continuation);
    }

    private IResultContinuation? TakeLone(TaskResult result)
    {
        _writer.Release(1);
        return _options.OnLoneResult!(result);
    }

    private static void Proceed(List<IResultContinuation> continuations)
    {
        if (continuations is [var alone])
        {
            alone.Continue();
            return;
        }

        foreach (var continuation in continuations)
            continuation.Post();
    }

    private void HandOut(StreamTasksResponse response)
    {
        // The tasks that a callback submits for a batch of results should leave as one batch, too.
        _writer.Cork();
        try
        {
            // Free the slots before the callbacks run, so that a callback that submits one task per result never waits.
            _writer.Release(response.Results.Count);
            foreach (var result in response.Results)
                _options.OnResult!(result);
        }
        finally
        {
            _writer.Uncork();
        }
    }
}
