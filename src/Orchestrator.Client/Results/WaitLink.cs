using Orchestrator.V1;

namespace Orchestrator.Client.Results;

/// <summary>One wait: who waits for which object, and who holds it.</summary>
/// <param name="WaiterSession">The id or alias of the session that waits.</param>
/// <param name="WaiterName">Its name, for people.</param>
/// <param name="ObjectName">The object, such as <c>locks/build</c>.</param>
/// <param name="HolderSession">The id or alias of the session that holds it.</param>
/// <param name="HolderName">Its name, for people.</param>
/// <param name="Waiting">How long it has waited.</param>
public sealed record WaitLink(
    string WaiterSession, string WaiterName, string ObjectName, string HolderSession, string HolderName, TimeSpan Waiting)
{
    internal static WaitLink From(WaitEdge edge) => new(
        edge.WaiterSession, edge.WaiterName, edge.Object, edge.HolderSession, edge.HolderName,
        edge.Waiting?.ToTimeSpan() ?? TimeSpan.Zero);
}
