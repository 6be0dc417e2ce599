using Grpc.Core;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Protocol;

namespace Orchestrator.Client.Tasks.Streams;

/// <content>Opening and reopening the stream.</content>
internal sealed partial class ResilientTaskStream
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    // What a message may hold beside a task's input.
    private const int OtherBytes = 1024 * 1024;

    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource<StreamConnection> _connected = NewConnected();
    private Task? _running;
    private bool _isRunning;
    private int _waiting;

    /// <summary>Returns the connection, once there is one.</summary>
    /// <exception cref="OrchestratorException">There will be none.</exception>
    public async ValueTask<StreamConnection> ConnectedAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            _waiting++;
        try
        {
            return await WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                _waiting--;
        }
    }

    private async ValueTask<StreamConnection> WaitForConnectionAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource<StreamConnection> connected;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, _calls.Owner);
                if (!_isRunning)
                {
                    _isRunning = true;
                    _running = Task.Run(RunAsync, CancellationToken.None);
                }

                connected = _connected;
            }

            var connection = await connected.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (!connection.IsBroken)
                return connection;
            // The loop is about to replace the connection; wait for its end.
            await connection.Stream.Completion.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }

    /// <summary>Keeps the stream connected while it is needed: until the connection has ended and no task is under way.</summary>
    private async Task RunAsync()
    {
        try
        {
            do
            {
                if (await OpenAsync().ConfigureAwait(false) is not { } connection)
                    return;
                await connection.Stream.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                Settle(connection);
                await connection.Stream.DisposeAsync().ConfigureAwait(false);
            }
            while (!_stopping.IsCancellationRequested && !TryRest());
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The client is being disposed.
        }

        if (_stopping.IsCancellationRequested)
            GiveUp(new ObjectDisposedException(_calls.Owner.Name));
    }

    private bool TryRest()
    {
        var recovering = _recovery.IsBusy;
        lock (_gate)
        {
            // A later caller finds the loop stopped, and restarts it.
            _isRunning = recovering || _slots.Count > 0 || _waiting > 0;
            return !_isRunning;
        }
    }

    /// <summary>Tries until a coordinator answers. Null if it gave up; the waiters have the error then.</summary>
    private async Task<StreamConnection?> OpenAsync()
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            _stopping.Token.ThrowIfCancellationRequested();
            var stream = _calls.Contract.OpenTaskStream(
                new TaskStreamOptions
                {
                    DetachOnDisconnect = _calls.Options.DetachOnDisconnect,
                    OnResult = OnResult,
                    OnLoneResult = OnLoneResult,
                    OnAccepted = OnAccepted
                });
            stream.Greet();
            await Task.WhenAny(stream.Granted, stream.Completion, Task.Delay(Timeout.InfiniteTimeSpan, time, _stopping.Token))
                .ConfigureAwait(false);
            if (stream.Granted.IsCompletedSuccessfully)
            {
                var connection = new StreamConnection(stream);
                lock (_gate)
                {
                    _connection = connection;
                    Instance = connection.Instance;
                    _connected.TrySetResult(connection);
                }

                return connection;
            }

            _stopping.Token.ThrowIfCancellationRequested();
            var error = stream.Completion.Exception?.InnerException
                ?? new CoordinatorUnavailableException("the coordinator ended the stream before it began", null);
            await stream.DisposeAsync().ConfigureAwait(false);
            var left = _calls.Options.ReconnectFor is var patience && patience == Timeout.InfiniteTimeSpan
                ? TimeSpan.MaxValue : patience - time.GetElapsedTime(started);
            if (!IsTransient(error) || left <= TimeSpan.Zero)
            {
                GiveUp(error);
                return null;
            }

            await Task.Delay(left < pause ? left : pause, time, _stopping.Token).ConfigureAwait(false);
        }
    }

    private static bool IsTransient(Exception error) =>
        error is CoordinatorUnavailableException
            or OrchestratorException { StatusCode: StatusCode.Unavailable or StatusCode.OK or StatusCode.Cancelled };

    private void Settle(StreamConnection connection)
    {
        List<OpenTask> orphans;
        lock (_gate)
        {
            connection.Break();
            connection.IsSettled = true;
            orphans = _slots.TakeSent();
            if (_connection == connection)
                _connection = null;
            _connected = NewConnected();
        }

        Recover(orphans, connection);
    }

    /// <summary>Recovers tasks of a connection that has ended.</summary>
    private void Recover(List<OpenTask> orphans, StreamConnection connection)
    {
        RefuseTooLarge(orphans, connection);
        if (orphans.Count > 0)
            _recovery.Add(orphans, connection.Instance);
    }

    /// <summary>
    /// The coordinator ends the stream over one message that it does not read: the largest task that it has not accepted fails with its
    /// error, and the others go on.
    /// </summary>
    private static void RefuseTooLarge(List<OpenTask> orphans, StreamConnection connection)
    {
        var failure = connection.Stream.Completion.Exception?.InnerException;
        if (failure is not OrchestratorException { Reason: FailureReason.LimitExceeded } error)
            return;
        var largest = orphans.Where(task => task.TaskId == 0).DefaultIfEmpty().MaxBy(task => task.Spec?.Input?.Data.Length ?? 0);
        if (largest.Spec?.Input is not { } input || input.Data.Length + OtherBytes <= ProtocolConstants.EnvelopeBytes)
            return;
        orphans.Remove(largest);
        largest.Observer.OnLost(largest.Sequence, error);
    }

    private void GiveUp(Exception error)
    {
        TaskCompletionSource<StreamConnection> connected;
        lock (_gate)
        {
            connected = _connected;
            _connected = NewConnected();
            _isRunning = false;
        }

        connected.TrySetException(error);
        _ = connected.Task.Exception;
    }

    private static TaskCompletionSource<StreamConnection> NewConnected() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
