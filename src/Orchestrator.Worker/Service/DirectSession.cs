using Orchestrator.Transport.Sockets;
using Orchestrator.Worker.Execution;

namespace Orchestrator.Worker.Service;

/// <summary>
/// The direct stream of a worker; the package Orchestrator.Worker.AspNetCore has its counterpart over gRPC. One thread, the leader, waits
/// for a message, carries out its orders and starts its IO tasks itself, so that an assignment wakes only one thread. If a task holds the
/// leader for longer than a millisecond, another thread becomes the leader: so user code never delays a cancel for longer than that.
/// </summary>
internal sealed class DirectSession
{
    private const int Reading = 0;
    private const int RunningTasks = 1;
    private const int Replaced = 2;

    private readonly SocketMessageStream _stream;
    private readonly AttemptResponseWriter _responses;
    private readonly TaskExecutor _executor;
    private readonly ExecuteRequestHandler _orders;
    private readonly TaskCompletionSource<StreamEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _leaders;

    public DirectSession(SocketMessageStream stream, AttemptResponseWriter responses, TaskExecutor executor)
    {
        _stream = stream;
        _responses = responses;
        _executor = executor;
        _orders = new ExecuteRequestHandler(executor);
    }

    public async Task<StreamEnd> RunAsync()
    {
        _ = FinishWhenDrainedAsync();
        StartLeader();
        var end = await _end.Task.ConfigureAwait(false);
        if (end == StreamEnd.Broken)
            _responses.Break();
        return end;
    }

    private async Task FinishWhenDrainedAsync()
    {
        await _executor.Drained.ConfigureAwait(false);
        await _responses.FlushAllAsync().ConfigureAwait(false);
        _end.TrySetResult(StreamEnd.Clean);
    }

    private void StartLeader() =>
        new Thread(new Leader(this).Lead) { IsBackground = true, Name = $"stream-{Interlocked.Increment(ref _leaders)}" }.UnsafeStart();

    private sealed class Leader
    {
        private readonly DirectSession _session;
        private readonly Action _onHeld;
        private int _state = Reading;

        public Leader(DirectSession session)
        {
            _session = session;
            _onHeld = OnStalled;
        }

        public void Lead()
        {
            try
            {
                LeadUntilReplaced();
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException or ObjectDisposedException)
            {
                _session._end.TrySetResult(StreamEnd.Broken);
            }
        }

        private void LeadUntilReplaced()
        {
            var (stream, executor) = (_session._stream, _session._executor);
            while (stream.TryRead(out var request))
            {
                _session._orders.Apply(request);
                // Messages that have already arrived are handled first: cancels before user code, and tasks together.
                while (stream.HasBuffered && stream.TryRead(out request))
                    _session._orders.Apply(request);
                Volatile.Write(ref _state, RunningTasks);
                executor.RunInline(_onHeld);
                if (Interlocked.CompareExchange(ref _state, Reading, RunningTasks) != RunningTasks)
                    return;
            }

            // No more messages will come, which means the same as a drain.
            executor.Drain();
        }

        private void OnStalled()
        {
            if (Interlocked.CompareExchange(ref _state, Replaced, RunningTasks) == RunningTasks)
                _session.StartLeader();
        }
    }
}
