namespace Orchestrator.Worker;

/// <summary>Where and with what a handler reaches its coordinator's queues, pipes, state and locks. A service of every worker.</summary>
/// <param name="Address">Such as <c>http://127.0.0.1:7600</c>; empty where the coordinator named none.</param>
/// <param name="Token">This worker's own token; it ends with the process.</param>
public sealed record CoordinatorEndpoint(string Address, string Token)
{
    /// <summary>Without the token, so that it does not end up in a log.</summary>
    public override string ToString() => Address;
}
