using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>The caller of one command: a unary call.</summary>
internal sealed class ObjectCall : IObjectCaller
{
    private readonly TaskCompletionSource<ObjectDelivery> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ObjectDelivery? _delivery;
    private Wait? _wait;

    private ObjectCall()
    {
    }

    /// <summary>
    /// Applies a command and waits for its outcome. A caller that disconnects keeps nothing: its wait ends, and a grant made at that moment
    /// is returned.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">The outcome is an error.</exception>
    /// <exception cref="OperationCanceledException">The caller has disconnected.</exception>
    public static async Task<T> RunAsync<T>(
        ObjectEngineHost host, ObjectCommand command, string sessionId, CancellationToken cancellationToken)
        where T : ObjectOutcome => (T)(await DeliverAsync(host, command, sessionId, cancellationToken)).Outcome;

    /// <summary>As <see cref="RunAsync"/>, with the delivery, which allows a grant to be returned.</summary>
    public static async Task<ObjectDelivery> DeliverAsync(
        ObjectEngineHost host, ObjectCommand command, string sessionId, CancellationToken cancellationToken)
    {
        var call = new ObjectCall();
        command.Caller = call;
        host.Apply(new ObjectRequest(command, sessionId));
        var delivery = await call.WaitAsync(host, cancellationToken);
        if (delivery.Outcome is ObjectError error)
            throw RpcErrors.From(error);
        if (!cancellationToken.IsCancellationRequested)
            return delivery;
        host.Apply(new ObjectRequest(new CompensateDelivery(delivery)));
        throw new OperationCanceledException(cancellationToken);
    }

    public void OnWaiting(ulong tag, Wait wait) => _wait = wait;

    public void OnOutcome(in ObjectDelivery delivery) => _delivery = delivery;

    public void Flush(bool alone)
    {
        if (_delivery is { } delivery)
            _ended.TrySetResult(delivery);
    }

    private async Task<ObjectDelivery> WaitAsync(ObjectEngineHost host, CancellationToken cancellationToken)
    {
        if (_ended.Task.IsCompleted)
            return await _ended.Task;
        await using var abandoning = cancellationToken.UnsafeRegister(
            state =>
            {
                // Either the wait ends here, or its outcome exists already or follows once it is written, and its grant is returned then.
                if (_wait is { } wait && host.Abandon(wait, this))
                    _ended.TrySetCanceled(cancellationToken);
            },
            null);
        await using var stopping = host.Stopping.UnsafeRegister(
            _ =>
            {
                if (_wait is { } wait)
                    host.Abandon(wait, this);
                if (_delivery is null)
                    _ended.TrySetException(RpcErrors.Create(ErrorReason.Draining, "the coordinator stops; nothing was taken"));
            },
            null);
        return await _ended.Task;
    }
}
