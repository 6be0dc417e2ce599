using Orchestrator.Core.Tasks;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Services;

/// <summary>The owner of the one task of a unary call.</summary>
internal sealed class CallReceiver : TaskReceiver
{
    private readonly TaskCompletionSource<SubmitOutcome> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SubmitOutcome _outcome;
    private bool _hasOutcome;

    /// <summary>The ended task, or why it was refused.</summary>
    public Task<SubmitOutcome> Ended => _ended.Task;

    public override void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes)
    {
        if (outcomes[0].Refusal is null)
            return;
        (_outcome, _hasOutcome) = (outcomes[0], true);
        // Nothing was accepted, so nothing will be delivered and nobody will kick.
        _ended.TrySetResult(_outcome);
    }

    public override void OnEnded(in Delivery delivery) =>
        (_outcome, _hasOutcome) = (new SubmitOutcome(delivery.Task, null, delivery.Tag), true);

    public override void Kick()
    {
        if (_hasOutcome)
            _ended.TrySetResult(_outcome);
    }
}
