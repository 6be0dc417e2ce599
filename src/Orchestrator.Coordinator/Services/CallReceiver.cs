using Orchestrator.Core.Tasks;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Services;

/// <summary>The owner of the one task of a unary call.</summary>
internal sealed class CallReceiver : TaskReceiver, IThreadPoolWorkItem
{
    // Whether the call goes on on the completing thread is decided at each completion, see Kick.
    private readonly TaskCompletionSource<SubmitOutcome> _ended = new();
    private SubmitOutcome _outcome;
    private bool _hasOutcome;

    /// <summary>The ended task, or why it was refused.</summary>
    public Task<SubmitOutcome> Ended => _ended.Task;

    public override void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes)
    {
        if (outcomes[0].Refusal is null)
            return;
        (_outcome, _hasOutcome) = (outcomes[0], true);
        // Nothing was accepted, so nothing will be delivered and nobody will kick. The call does not wait yet, so nothing runs here.
        _ended.TrySetResult(_outcome);
    }

    public override void OnEnded(in Delivery delivery) =>
        (_outcome, _hasOutcome) = (new SubmitOutcome(delivery.Task, null, delivery.Tag), true);

    public override void Kick(bool alone)
    {
        if (!_hasOutcome)
            return;
        // One result alone, as on an idle machine, is answered by the thread that brought it: waking another costs more than the answer. The answers
        // of a batch are for others, so that the reading of the next batch does not wait for them.
        if (alone)
            _ended.TrySetResult(_outcome);
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ended.TrySetResult(_outcome);
}
