using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// One step of an engine: the changes to write, and the effects that wait for them. An entry without changes is not written, but waits for
/// those before it. Exactly one of <see cref="OnWritten"/> and <see cref="OnFailed"/> follows, in append order.
/// </summary>
internal abstract class JournalEntry
{
    /// <summary>The durability that must be reached before <see cref="OnWritten"/>.</summary>
    public Durability Level { get; init; } = Durability.Memory;

    /// <summary>The record to write; null if there is none. Called by the journal's thread.</summary>
    public abstract Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks);

    /// <summary>Called when the entry is written at its level.</summary>
    public abstract void OnWritten();

    /// <summary>Called when the entry could not be written; no later entry will be either.</summary>
    public abstract void OnFailed(string why);
}

/// <summary>Waits until all entries appended before are written.</summary>
internal sealed class JournalBarrier : JournalEntry
{
    private readonly TaskCompletionSource<string?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with null when they are written, or with the reason for the failure.</summary>
    public Task<string?> Done => _done.Task;

    public override Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks) => null;

    public override void OnWritten() => _done.TrySetResult(null);

    public override void OnFailed(string why) => _done.TrySetResult(why);
}
