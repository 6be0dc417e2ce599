using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>Outcomes that are delivered once the changes they report are written.</summary>
internal sealed class PendingObjectOutcomes(ObjectEngineHost host, ObjectChange[] changes, ObjectDelivery[] outcomes) : JournalEntry
{
    public override Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks)
    {
        if (changes.Length == 0)
            return null;
        var record = new Record();
        foreach (var change in changes)
        {
            if (objects.ToWire(change) is { } wire)
                record.Changes.Add(wire);
        }

        return record;
    }

    public override void OnWritten() => host.Release(outcomes);

    /// <summary>The changes exist in memory only and will be absent after a restart, so no caller is told that they succeeded.</summary>
    public override void OnFailed(string why)
    {
        var error = new ObjectError(
            ObjectErrorReason.JournalFailed, $"the journal has failed, so it is not known whether this was written: {why}");
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i].Outcome is not ObjectError)
                outcomes[i] = outcomes[i] with { Outcome = error, Granted = null };
        }

        host.Release(outcomes);
    }
}
