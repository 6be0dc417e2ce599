namespace Orchestrator.Core.Kernel;

/// <summary>How many commands wait, in all and of each client, and what they take.</summary>
internal sealed class WaitCharges(KernelOptions options, ObjectMemory memory, ContentTally contents)
{
    /// <summary>How many commands wait.</summary>
    public int Count { get; private set; }

    /// <summary>Why a command cannot wait; null if it can.</summary>
    public ObjectError? Validate(ObjectCommand command)
    {
        if (Count >= options.MaxWaits)
        {
            return new ObjectError(
                ObjectErrorReason.LimitExceeded, $"{Count} commands wait, the most that may at once; try again when some have been served");
        }

        return command.Quota is { } client && client.Waits >= options.MaxWaitsPerClient
            ? TooManyWaits(client)
            : memory.ValidateShare(command.Quota, ContentTally.WaitBytes);
    }

    /// <summary>A command begins to wait (+1), or ends (−1).</summary>
    public void Charge(ObjectCommand command, int change)
    {
        Count += change;
        var bytes = change * (ContentTally.WaitBytes + command.ContentBytes);
        contents.Add(bytes);
        if (command.Quota is not { } client)
            return;
        client.Waits += change;
        client.Bytes += bytes;
    }

    private ObjectError TooManyWaits(ClientObjectQuota client) => new(
        ObjectErrorReason.LimitExceeded,
        $"{client.Waits} commands of client {client.Name} wait, the most of one client that may at once " +
        $"(waits_per_client, {options.MaxWaitsPerClient}); try again when some have been served")
    {
        Subject = client.Name,
    };
}
