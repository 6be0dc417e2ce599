using System.Text;

namespace Orchestrator.Core.Kernel;

/// <summary>One session waits for another, at an object.</summary>
/// <param name="Waiter">The waiting session; null where the waiting command named none.</param>
/// <param name="ObjectName">The object, such as <c>locks/build</c>.</param>
/// <param name="Holder">
/// The blocking session: the holder, or a waiter ahead that has to be served and done first; null where any session may end the wait.
/// </param>
/// <param name="Waiting">How long it has waited.</param>
public sealed record WaitEdge(Session? Waiter, string ObjectName, Session? Holder, TimeSpan Waiting);

/// <summary>A cycle of waits: each edge's holder is the next one's waiter, and the last one's holder is the first one's waiter.</summary>
/// <param name="Edges">The edges; the first is the wait that would have closed the cycle.</param>
public sealed record DeadlockCycle(IReadOnlyList<WaitEdge> Edges)
{
    /// <summary>Whether every wait and hold in it names its flow; if one does not, the cycle may consist of unrelated flows.</summary>
    internal bool IsOfNamedFlows { get; init; }

    /// <summary>For people: the whole cycle in one line.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var edge in Edges)
            text.Append(text.Length == 0 ? "" : "; ").Append($"{edge.Waiter} waits at {edge.ObjectName} for {edge.Holder}");
        return text.ToString();
    }
}
