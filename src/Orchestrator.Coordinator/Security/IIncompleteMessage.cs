namespace Orchestrator.Coordinator.Security;

/// <summary>A message that has arrived in part.</summary>
internal interface IIncompleteMessage
{
    /// <summary>When the wait for the rest began: a time stamp.</summary>
    long Since { get; }

    /// <summary>The limit of that wait.</summary>
    TimeSpan ArrivalLimit { get; }

    /// <summary>The rest did not arrive in time.</summary>
    void EndLate();
}
