using Orchestrator.Core.Tasks;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Services;

/// <summary>The owner of the one task of a unary call.</summary>
internal sealed class UnaryTaskCompletion : TaskOwnerBase
{
    // The call goes on on the completing thread, see Kick.
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

    /// <summary>The caller has gone: whoever awaits <see cref="Ended"/> learns that, unless it has ended.</summary>
    public void Abandon() => ThreadPool.UnsafeQueueUserWorkItem(static receiver => receiver._ended.TrySetCanceled(), this, preferLocal: false);

    public override void Flush(bool alone)
    {
        // Answered by the thread that brought the result, its worker's reader: waking another costs more than the answer.
        if (_hasOutcome)
            _ended.TrySetResult(_outcome);
    }
}
