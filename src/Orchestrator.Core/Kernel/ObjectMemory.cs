using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>What the shared objects keep in memory, and the errors of commands that would exceed the memory budget.</summary>
internal sealed class ObjectMemory(
    MemoryBudget budget, ContentTally contents, ObjectQuota quota, SessionTable sessions, ReplayBudget replays)
{
    // As measured with idle locks and queues, rounded up.
    private const int ObjectBytes = 550;

    private readonly MemoryShare _share = new(budget);

    /// <summary>Everything that is kept, approximately: the amount that counts against the memory budget.</summary>
    public long KeptBytes => contents.Bytes + (ObjectBytes * ((long)quota.Count + sessions.Count)) + replays.Bytes;

    /// <summary>Publishes the number of kept bytes, at the end of a step.</summary>
    public void Publish() => _share.Publish(KeptBytes);

    /// <summary>Why that many more bytes would exceed the memory budget; null if they fit.</summary>
    public ObjectError? Validate(long more) => Fits(more) ? null : Full(more);

    /// <summary>As <see cref="Validate"/>, for content that is counted already.</summary>
    public ObjectError? ValidateCounted(long more) => Fits(0) ? null : Full(more);

    /// <summary>Why a client may not use that many more bytes; null if it may.</summary>
    public ObjectError? ValidateShare(ClientObjectQuota? client, long more)
    {
        if (client is null || client.Bytes + more <= budget.PerClientLimit)
            return null;
        return new ObjectError(
            ObjectErrorReason.LimitExceeded,
            $"the shared objects and waits of client {client.Name} take {client.Bytes:N0} bytes; {more:N0} more would " +
            $"pass one client's part of the memory budget (object_bytes_per_client), {budget.PerClientLimit:N0}; " +
            "retry once memory is freed")
        {
            Subject = client.Name,
        };
    }

    private bool Fits(long more) => _share.FitsNewWork(KeptBytes + more);

    private ObjectError Full(long more) => new(
        ObjectErrorReason.LimitExceeded,
        $"the coordinator keeps {budget.Used:N0} bytes, {KeptBytes:N0} of them for shared objects; {more:N0} more would " +
        $"pass its memory budget (memory_kept): {budget.AdmissionLimit:N0} for new work, {budget.PerKindLimit:N0} of them " +
        "for shared objects; retry once memory is freed");
}
