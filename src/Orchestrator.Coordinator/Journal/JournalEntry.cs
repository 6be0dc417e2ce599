using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Core.Journal;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// One step of an engine: what is to be written, and what waits for it. One without changes is not written, and waits for those before it. Exactly one of
/// <see cref="OnWritten"/> and <see cref="OnFailed"/> follows, in the order in which the entries were appended.
/// </summary>
internal abstract class JournalEntry
{
    /// <summary>What must hold before <see cref="OnWritten"/>.</summary>
    public Durability Level { get; init; } = Durability.Memory;

    /// <summary>What is written; null where nothing is. Called by the journal's thread.</summary>
    public abstract Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks);

    /// <summary>It is written, as its level says.</summary>
    public abstract void OnWritten();

    /// <summary>It is not, and nothing will be any more.</summary>
    public abstract void OnFailed(string why);
}

/// <summary>Waits until all that was appended before is written.</summary>
internal sealed class JournalBarrier : JournalEntry
{
    private readonly TaskCompletionSource<string?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with null when it is, or with why it could not be.</summary>
    public Task<string?> Done => _done.Task;

    public override Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks) => null;

    public override void OnWritten() => _done.TrySetResult(null);

    public override void OnFailed(string why) => _done.TrySetResult(why);
}
