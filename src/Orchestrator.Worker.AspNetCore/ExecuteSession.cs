using Grpc.Core;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Service;

namespace Orchestrator.Worker.AspNetCore;

/// <summary>
/// One Execute stream: reads requests, runs their orders, and writes the results.
/// <para>
/// The reader follows the leader–follower pattern. A message's control part (cancels, enqueueing) is applied at once; then the next read is
/// started, and the thread that completes it is the new reader; only then does the old reader run IO tasks. So a task begins on the thread
/// that read it, and yet no user code delays a cancel.
/// </para>
/// </summary>
internal sealed class ExecuteSession
{
    private static readonly TimeSpan HalfCloseLimit = TimeSpan.FromSeconds(2);

    private readonly IAsyncStreamReader<MessageBuffer> _requests;
    private readonly AttemptResponseWriter _responses;
    private readonly TaskExecutor _executor;
    private readonly ExecuteRequestHandler _orders;
    private readonly TimeProvider _time;
    private readonly CancellationToken _aborted;
    private readonly TaskCompletionSource _halfClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<StreamEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action _onRead;
    private Task<bool> _read = Task.FromResult(false);

    public ExecuteSession(
        IAsyncStreamReader<MessageBuffer> requests,
        AttemptResponseWriter responses,
        TaskExecutor executor,
        TimeProvider time,
        CancellationToken aborted)
    {
        _time = time;
        _requests = requests;
        _responses = responses;
        _executor = executor;
        _orders = new ExecuteRequestHandler(executor);
        _aborted = aborted;
        _onRead = OnRead;
    }

    /// <summary>True once the coordinator has half-closed: it will send nothing more.</summary>
    public bool IsHalfClosed => _halfClosed.Task.IsCompleted;

    public async Task<StreamEnd> RunAsync()
    {
        await using var registration = _aborted.UnsafeRegister(
            static state => ((ExecuteSession)state!)._end.TrySetResult(StreamEnd.Broken), this).ConfigureAwait(false);
        _ = FinishWhenDrainedAsync();
        _read = _requests.MoveNext(_aborted);
        if (_read.IsCompleted)
            OnRead();
        else
            _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onRead);
        var end = await _end.Task.ConfigureAwait(false);
        if (end == StreamEnd.Broken)
            _responses.Break();
        return end;
    }

    private async Task FinishWhenDrainedAsync()
    {
        await _executor.Drained.ConfigureAwait(false);
        await _responses.FlushAllAsync().ConfigureAwait(false);
        // A server that ends a stream before its client has half-closed resets it, and a client may then drop received data that it has not
        // read yet. The coordinator half-closes once it has every result; the wait for one that does not is short.
        await Task.WhenAny(_halfClosed.Task, _end.Task, Task.Delay(HalfCloseLimit, _time)).ConfigureAwait(false);
        _end.TrySetResult(StreamEnd.Clean);
    }

    private void OnRead()
    {
        try
        {
            do
            {
#pragma warning disable VSTHRD002 // It has ended.
                if (!_read.GetAwaiter().GetResult())
#pragma warning restore VSTHRD002
                {
                    // No more messages will come, which means the same as a drain.
                    _halfClosed.TrySetResult();
                    _executor.Drain();
                    return;
                }

                var request = _requests.Current;
                _orders.Apply(request.Content);
                request.Clear();
                _read = _requests.MoveNext(_aborted);
            }
            while (_read.IsCompleted);

            // From here on another thread may be in this method: the session's state must not be accessed any more.
            _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onRead);
        }
        catch (Exception e)
            when (e is IOException or InvalidDataException or OperationCanceledException or RpcException or InvalidOperationException)
        {
            _end.TrySetResult(StreamEnd.Broken);
            return;
        }

        _executor.RunInline();
    }
}
