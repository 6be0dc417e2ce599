using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// Durable objects: the changes of a step go into <see cref="ObjectEffects.Changes"/>. Sessions, waits and holds do not outlive the
/// process; so for durable objects a restart equals the end of all sessions.
/// </summary>
internal sealed class DurableChanges(EngineStep step)
{
    /// <summary>Why durable objects can no longer be changed; null while they can.</summary>
    public string? JournalFailure { get; set; }

    /// <summary>Why objects of this durability cannot be used now; null if they can.</summary>
    public ObjectError? Validate(Durability level)
    {
        if (level == Durability.Memory)
            return null;
        step.Effects.SpeaksOfDurable = true;
        return JournalFailure is { } why
            ? new ObjectError(
                ObjectErrorReason.JournalFailed,
                $"the journal has failed, so nothing durable can be used until the coordinator is restarted: {why}")
            : null;
    }

    public void Record(ObjectChange change, Durability level)
    {
        step.Effects.Changes.Add(change);
        if (level > step.Effects.Level)
            step.Effects.Level = level;
    }
}
