namespace Orchestrator.Coordinator.Security;

/// <summary>Why a call or a connection was refused before anything of it was read.</summary>
internal enum RefusalCause
{
    /// <summary>It had no credential.</summary>
    NoCredential,

    /// <summary>Its credential is wrong, expired or another's.</summary>
    WrongCredential,

    /// <summary>A process of another user connected to a socket.</summary>
    OtherUser,
}

/// <summary>Counts what was refused. Safe for several threads.</summary>
internal sealed class SecurityInstruments
{
    private readonly long[] _refused = new long[Enum.GetValues<RefusalCause>().Length];

    /// <summary>How many were refused for a cause since the start.</summary>
    public long RefusedCalls(RefusalCause cause) => Interlocked.Read(ref _refused[(int)cause]);

    /// <summary>How many were refused in all.</summary>
    public long RefusedTotal => Enum.GetValues<RefusalCause>().Sum(RefusedCalls);

    public void Refused(RefusalCause cause) => Interlocked.Increment(ref _refused[(int)cause]);
}
