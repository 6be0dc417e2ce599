using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// The receiver of an executor's reports. Calls come from any thread, concurrently, and also from within <see cref="TaskExecutor.Start"/>,
/// <see cref="TaskExecutor.Cancel"/>, <see cref="TaskExecutor.GiveBack"/> and <see cref="TaskExecutor.Drain"/> for attempts that end there
/// without having run. An attempt's events come before its result. Implementations must neither block nor throw.
/// </summary>
internal interface IAttemptResultWriter
{
    /// <summary>An attempt has ended; called exactly once for each that was not returned.</summary>
    void Completed(in RawAttemptResult result);

    /// <summary>An event of a running attempt.</summary>
    void Event(RawAttemptEvent attemptEvent);

    /// <summary>An attempt was returned unstarted; nothing more is reported of it.</summary>
    void Returned(AttemptRef attempt);

    /// <summary>
    /// Follows one or several of the calls above, which may therefore be collected into one message.
    /// </summary>
    /// <param name="busy">
    /// The calling thread continues with user code at once, which may take any time: another thread must send the collected reports.
    /// </param>
    void Flush(bool busy)
    {
    }

    /// <summary>False while more reports wait than a reader that keeps up would leave: progress and log lines are then dropped.</summary>
    bool HasRoom => true;

    /// <summary>Completes when <see cref="HasRoom"/> is true again: partial outputs wait for it.</summary>
    ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
