using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// Acquires, from the rate limiters, the permits that tasks need to start. Clients use the same rate limiters: both wait in one queue.
/// </summary>
internal sealed class RateLimiterBridge(ObjectEngineHost objects, TaskEngineHost tasks)
{
    /// <summary>
    /// Records an order. Called under the task engine's lock; the caller flushes the returned object after releasing that lock.
    /// </summary>
    public IFlushable Record(PermitOrder order)
    {
        var source = (Source)(order.Queue.Source ??= new Source(this, order.Queue));
        source.Note(order.Kind);
        return source;
    }

    /// <summary>The permit source of one task limiter: at most one permit is requested, or granted and unused.</summary>
    private sealed class Source(RateLimiterBridge bridge, PermitQueue queue) : IFlushable
    {
        private readonly Queue<PermitOrderKind> _orders = new();
        private ObjectDelivery? _granted;

        public void Note(PermitOrderKind kind)
        {
            lock (_orders)
                _orders.Enqueue(kind);
        }

        public void Flush(bool alone)
        {
            while (true)
            {
                ObjectDelivery? unused;
                lock (_orders)
                {
                    if (!_orders.TryDequeue(out var kind))
                        return;
                    unused = kind == PermitOrderKind.GiveBack ? _granted : null;
                    _granted = null;
                }

                ObjectCommand command = unused is { } delivery
                    ? new CompensateDelivery(delivery)
                    : new AcquirePermits(queue.RateLimiter, 1) { Caller = new Request(this) };
                bridge.Fetch(command);
            }
        }

        public void OnAnswer(ObjectDelivery answer)
        {
            if (answer.Outcome is ObjectError error)
            {
                var reason = error.Reason == ObjectErrorReason.NotFound ? FailureReason.NotFound : FailureReason.LimitExceeded;
                bridge.Apply(new TaskCommand.PermitRefused(
                    queue, reason, $"it got no permit of its rate limiter '{queue.RateLimiter}': {error.Message}"));
                return;
            }

            lock (_orders)
                _granted = answer;
            bridge.Apply(new TaskCommand.PermitGranted(queue));
        }
    }

    /// <summary>One requested permit.</summary>
    private sealed class Request(Source source) : IObjectCaller
    {
        private ObjectDelivery _answer;

        public void OnWaiting(ulong tag, Wait wait)
        {
            // The wait has no time limit; a permit that no task needs any more is returned when it is granted.
        }

        public void OnOutcome(in ObjectDelivery delivery) => _answer = delivery;

        // Not on this stack: a permit that is available at once starts a task, which requests the next permit.
        public void Flush(bool alone) => ThreadPool.UnsafeQueueUserWorkItem(static request => request.Answer(), this, preferLocal: false);

        private void Answer() => source.OnAnswer(_answer);
    }

    private void Fetch(ObjectCommand command) => objects.Apply(new ObjectRequest(command, ""));

    private void Apply(TaskCommand command) => tasks.Apply(command);
}
