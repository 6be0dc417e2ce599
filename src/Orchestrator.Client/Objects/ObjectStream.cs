using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// One Connect stream: any number of concurrent operations, answered as they complete. When it breaks, it is reopened and the unanswered
/// operations are resent under their ids, so that each is done once; they fail only if the session has ended meanwhile.
/// </summary>
internal sealed class ObjectStream : IAsyncDisposable
{
    private const int MaxReconnects = 8;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly CreateSessionRequest _create;
    private readonly PendingOperations _operations = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly TaskCompletionSource<string> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    private int _failures;

    /// <param name="services">The services.</param>
    /// <param name="create">The session to create.</param>
    public ObjectStream(ObjectServices services, CreateSessionRequest create)
    {
        Services = services;
        _create = create;
        // Observe the exception: the task may fail without a waiter.
        _ = _session.Task.ContinueWith(
            static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _running = RunAsync();
    }

    /// <summary>For calls that have no operation on the stream.</summary>
    public ObjectServices Services { get; }

    /// <summary>The id of the stream's own session, once there is one.</summary>
    public Task<string> Session => _session.Task;

    /// <summary>Called with each notice, on the stream's reader: must not block.</summary>
    public event Action<Notice>? Noticed;

    /// <summary>Called once, when the stream has failed for good.</summary>
    public event Action<OrchestratorException>? Failed;

    /// <summary>
    /// Sends an operation and waits for its outcome. Cancelling asks the coordinator to give up the wait; if the operation already has its
    /// outcome by then, the outcome counts, so nothing is ever granted unseen.
    /// </summary>
    /// <exception cref="OrchestratorException">The operation's error, or the stream's failure.</exception>
    /// <exception cref="OperationCanceledException">The wait was given up.</exception>
    public async Task<Outcome> SendAsync(Operation operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var pending = _operations.Add(operation);
        await using var cancelling = cancellationToken.UnsafeRegister(_ => _operations.Cancel(pending), null).ConfigureAwait(false);
        return Check(await pending.Outcome.ConfigureAwait(false), cancellationToken);
    }

    /// <summary>Sends an operation whose outcome is not awaited.</summary>
    /// <exception cref="OrchestratorException">The stream has failed.</exception>
    public void Post(Operation operation, IPostedOperation posted) => _operations.Add(new PendingOperation(operation, posted));

    /// <summary>
    /// Sends two operations in one message, of which the second runs once the first has succeeded, and waits for the second. The outcome of
    /// the first is there by then. Cancelling is as with <see cref="SendAsync"/>, for the first.
    /// </summary>
    /// <exception cref="OrchestratorException">The stream has failed.</exception>
    public async Task<(Outcome First, Outcome Second)> SendBothAsync(
        Operation first, Operation second, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (before, after) = (new PendingOperation(first) { IsQuiet = true }, new PendingOperation(second));
        _operations.Add(before, after);
        await using var cancelling = cancellationToken.UnsafeRegister(_ => _operations.Cancel(before), null).ConfigureAwait(false);
        var outcome = await after.Outcome.ConfigureAwait(false);
        return (await before.Outcome.ConfigureAwait(false), outcome);
    }

    /// <summary>Sends an operation, and in the same message one that runs once it has succeeded, whose outcome is not awaited.</summary>
    /// <exception cref="OrchestratorException">The stream has failed.</exception>
    public void SendAndPost(PendingOperation operation, Operation after, IPostedOperation posted) =>
        _operations.Add(operation, new PendingOperation(after, posted));

    /// <summary>The outcome, if it is no error.</summary>
    /// <exception cref="OrchestratorException">It is an error.</exception>
    /// <exception cref="OperationCanceledException">The wait was given up.</exception>
    public static Outcome Check(Outcome outcome, CancellationToken cancellationToken)
    {
        if (outcome.ResponseCase != Outcome.ResponseOneofCase.Error)
            return outcome;
        if (outcome.Error.Reason == ErrorReason.Cancelled)
            cancellationToken.ThrowIfCancellationRequested();
        throw RpcExceptionMapper.Map(outcome.Error);
    }

    /// <summary>Ends the stream. The session lives on for its time to live, unless it was closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _disposing.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await ConnectAsync().ConfigureAwait(false);
                Fail(new OrchestratorException(
                    "the coordinator ended the session's stream", StatusCode.Unavailable, FailureReason.Unspecified, null));
                return;
            }
            catch (OperationCanceledException) when (_disposing.IsCancellationRequested)
            {
                Fail(new OrchestratorException("the session was closed by this client",
                    StatusCode.Cancelled, FailureReason.Cancelled, null));
                return;
            }
            catch (ObjectDisposedException exception)
            {
                Fail(new OrchestratorException(
                    "the client was disposed before its session", StatusCode.Cancelled, FailureReason.Cancelled, exception));
                return;
            }
            catch (RpcException exception)
            {
                var error = Services.Errors.Map(exception);
                // The coordinator ends the stream over one message that it does not read; that takes nothing from the other operations.
                if (error.Reason == FailureReason.LimitExceeded && _operations.TakeTooLarge() is { } operation)
                {
                    operation.Fail(error);
                    continue;
                }

                // A broken connection is retried; an error from the coordinator itself is final.
                if (error is not CoordinatorUnavailableException || !_session.Task.IsCompletedSuccessfully || ++_failures > MaxReconnects)
                {
                    Fail(error);
                    return;
                }
            }
            catch (Exception exception)
            {
                // Whatever the exception is, no waiter may be left waiting for answers that are no longer read.
                Fail(new OrchestratorException(
                    $"the session's stream has ended: {exception.Message}", StatusCode.Unknown, FailureReason.Unspecified, exception));
                return;
            }

            await Task.Delay(FirstPause * Math.Pow(2, _failures - 1), TimeProvider.System, _disposing.Token).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One connection, from its first message to its end.</summary>
    private async Task ConnectAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_disposing.Token);
        using var call = Services.Sessions.Connect(cancellationToken: ending.Token);
        var first = new ConnectRequest();
        if (_session.Task.IsCompletedSuccessfully)
            first.SessionId = await _session.Task.ConfigureAwait(false);
        else
            first.Create = _create;
        try
        {
            await call.RequestStream.WriteAsync(first, ending.Token).ConfigureAwait(false);
            _operations.Attach(call.RequestStream, ending.Token);
            await new LeaderFollowerReader<ConnectResponse, (PendingOperation, Outcome)>(
                call.ResponseStream, Take, Complete, ending.Token).RunAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_disposing.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the stream broke"));
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // The request stream says only that the call has ended; the response stream says why.
            await call.ResponseStream.MoveNext(ending.Token).ConfigureAwait(false);
            throw new RpcException(new Status(StatusCode.Unavailable, exception.Message, exception));
        }
        finally
        {
            _operations.Detach();
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    private void Take(ConnectResponse message, List<(PendingOperation Operation, Outcome Outcome)> done)
    {
        // The connection works: a later break starts a new count.
        _failures = 0;
        if (message.SessionId.Length > 0)
            _session.TrySetResult(message.SessionId);
        foreach (var notice in message.Notices)
            Noticed?.Invoke(notice);
        foreach (var outcome in message.Outcomes)
        {
            if (_operations.Take(outcome) is { } operation)
                done.Add((operation, outcome));
        }
    }

    private static void Complete(List<(PendingOperation Operation, Outcome Outcome)> done)
    {
        var awaited = 0;
        foreach (var (operation, _) in done)
            awaited += operation.IsQuiet ? 0 : 1;
        // Alone it continues here. Several would wait for each other, and would write their next operations one by one.
        foreach (var (operation, outcome) in done)
            operation.Complete(outcome, inline: awaited == 1);
    }

    private void Fail(OrchestratorException error)
    {
        var left = _operations.Close(error);
        _session.TrySetException(error);
        // First, so that a waiter that gets the failure finds the session lost.
        Failed?.Invoke(error);
        foreach (var pending in left)
            pending.Fail(error);
    }
}
