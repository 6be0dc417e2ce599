namespace Orchestrator.Worker.Hosting;

/// <summary>
/// The address and credential with which a handler reaches its coordinator's queues, pipes, state and locks. A service of every
/// worker.
/// </summary>
/// <param name="Address">Such as <c>http://127.0.0.1:7600</c>; empty if the coordinator gave none.</param>
/// <param name="Token">This worker's own token; it expires with the process.</param>
public sealed record CoordinatorEndpoint(string Address, string Token)
{
    /// <summary>Without the token, so that it does not end up in a log.</summary>
    public override string ToString() => Address;
}
