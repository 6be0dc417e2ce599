using Orchestrator.Contracts.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker;

/// <summary>
/// Where an executor reports. Calls come from any thread, at once from several, and also from within
/// <see cref="TaskExecutor.Start"/>, <see cref="TaskExecutor.Cancel"/>, <see cref="TaskExecutor.GiveBack"/> and <see cref="TaskExecutor.Drain"/> for attempts that
/// end there without having run. An attempt's events come before its result. Implementations must neither block nor throw.
/// </summary>
public interface IAttemptResultWriter
{
    /// <summary>An attempt has ended; called exactly once for each that was not returned.</summary>
    void Completed(in RawAttemptResult result);

    /// <summary>Something happened within a running attempt.</summary>
    void Event(RawAttemptEvent attemptEvent);

    /// <summary>An attempt was given back unstarted; nothing more is reported of it.</summary>
    void Returned(AttemptRef attempt);

    /// <summary>
    /// Follows one or several of the calls above, which may therefore be collected into one message.
    /// </summary>
    /// <param name="busy">
    /// The calling thread goes on with user code at once, which may take any time: what was collected must be sent by
    /// another thread.
    /// </param>
    void DeliverDue(bool busy)
    {
    }

    /// <summary>False while more is waiting than a reader that keeps up would leave: progress and log lines are then dropped.</summary>
    bool HasRoom => true;

    /// <summary>Completes when <see cref="HasRoom"/> is true again: partial outputs wait for it.</summary>
    ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
