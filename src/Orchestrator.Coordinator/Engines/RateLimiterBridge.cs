using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Scheduling;
using Orchestrator.Core.Sync;
using Orchestrator.Core.Tasks;
using Orchestrator.Core.Waits;

namespace Orchestrator.Coordinator.Engines;

/// <summary>Fetches the permits that tasks need to start from the rate limiters, on which clients draw as well: one line for both.</summary>
internal sealed class RateLimiterBridge(ObjectEngineHost objects, TaskEngineHost tasks)
{
    /// <summary>Takes note of an order. Called under the task engine's lock; what is returned is kicked once that has been left.</summary>
    public IFlushable Record(PermitOrder order)
    {
        var source = (Source)(order.Gate.Source ??= new Source(this, order.Gate));
        source.Note(order.Kind);
        return source;
    }

    /// <summary>The way to the rate limiter of one gate: at most one permit is under way, or granted and unused.</summary>
    private sealed class Source(RateLimiterBridge desk, RateGate gate) : IFlushable
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
                    : new AcquirePermits(gate.RateLimiter, 1) { Caller = new Request(this) };
                desk.Fetch(command);
            }
        }

        public void OnAnswer(ObjectDelivery answer)
        {
            if (answer.Outcome is ObjectError error)
            {
                var reason = error.Reason == ObjectErrorReason.NotFound ? FailureReason.NotFound : FailureReason.LimitExceeded;
                desk.Apply(new TaskCommand.PermitRefused(gate, reason, $"it got no permit of its rate limiter '{gate.RateLimiter}': {error.Message}"));
                return;
            }

            lock (_orders)
                _granted = answer;
            desk.Apply(new TaskCommand.PermitGranted(gate));
        }
    }

    /// <summary>One permit that was asked for.</summary>
    private sealed class Request(Source source) : IObjectCaller
    {
        private ObjectDelivery _answer;

        public void OnWaiting(ulong tag, Wait wait)
        {
            // It waits as long as it takes; where no task needs it any more, it goes back when it comes.
        }

        public void OnOutcome(in ObjectDelivery delivery) => _answer = delivery;

        // Not on this stack: a permit that is there at once starts a task, which asks for the next.
        public void Flush(bool alone) => ThreadPool.UnsafeQueueUserWorkItem(static request => request.Answer(), this, preferLocal: false);

        private void Answer() => source.OnAnswer(_answer);
    }

    private void Fetch(ObjectCommand command) => objects.Apply(new ObjectRequest(command, ""));

    private void Apply(TaskCommand command) => tasks.Apply(command);
}
