namespace Orchestrator.TestKit.History;

/// <summary>What the checker found.</summary>
public enum HistoryOutcome
{
    /// <summary>There is an order that explains all results.</summary>
    Linearizable,

    /// <summary>There is none: the object is broken.</summary>
    Violation,

    /// <summary>The search was given up: the answer is unknown.</summary>
    Undecided,
}

/// <summary>What the checker found.</summary>
/// <param name="Outcome">Whether the history is possible.</param>
/// <param name="Configurations">How many configurations the search went through.</param>
/// <param name="Explanation">For people: how far the history could be explained, and which operation could not follow.</param>
public sealed record HistoryVerdict(HistoryOutcome Outcome, int Configurations, string Explanation);
