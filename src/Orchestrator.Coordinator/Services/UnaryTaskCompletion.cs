using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Services;

/// <summary>The owner of the one task of a unary call.</summary>
internal sealed class UnaryTaskCompletion : TaskOwnerBase
{
    // The call continues on the completing thread, see Flush.
    private readonly TaskCompletionSource<SubmitOutcome> _ended = new();
    private SubmitOutcome _outcome;
    private bool _hasOutcome;

    /// <summary>The ended task, or why it was refused.</summary>
    public Task<SubmitOutcome> Ended => _ended.Task;

    public override void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes)
    {
        if (outcomes[0].Refusal is not null)
            (_outcome, _hasOutcome) = (outcomes[0], true);
    }

    public override void OnEnded(ReadOnlySpan<Delivery> deliveries) =>
        (_outcome, _hasOutcome) = (new SubmitOutcome(deliveries[^1].Task, null, deliveries[^1].Tag), true);

    /// <summary>The caller has disconnected: cancels <see cref="Ended"/>, unless the task has ended.</summary>
    public void Abandon() =>
        ThreadPool.UnsafeQueueUserWorkItem(static receiver => receiver._ended.TrySetCanceled(), this, preferLocal: false);

    public override void Flush(bool alone)
    {
        // Answered on the thread that delivered the result, its worker's reader: waking another thread costs more than the answer.
        if (_hasOutcome)
            _ended.TrySetResult(_outcome);
    }
}
