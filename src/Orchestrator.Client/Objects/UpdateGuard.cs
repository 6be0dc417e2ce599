using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>A precondition of an update; the update fails with <c>Stale</c> if it does not hold.</summary>
public sealed record UpdateGuard
{
    /// <summary>The version that the object must have; null accepts any.</summary>
    public ulong? ExpectedVersion { get; init; }

    /// <summary>The lock whose <see cref="FencingToken"/> must be the newest that the lock has granted; empty checks none.</summary>
    public string Lock { get; init; } = "";

    /// <summary>The token of the caller's hold of <see cref="Lock"/>.</summary>
    public ulong FencingToken { get; init; }

    /// <summary>The object has this version.</summary>
    public static UpdateGuard AtVersion(ulong version) => new() { ExpectedVersion = version };

    /// <summary>The caller still holds the lock.</summary>
    public static UpdateGuard Holding(LockHold hold)
    {
        ArgumentNullException.ThrowIfNull(hold);
        return new UpdateGuard { Lock = hold.Name, FencingToken = hold.FencingToken };
    }

    internal Guard ToMessage()
    {
        var message = new Guard { Lock = Lock, FencingToken = FencingToken };
        if (ExpectedVersion is { } version)
            message.ExpectedVersion = version;
        return message;
    }
}
