namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>What becomes of a call; its caller learns the same each time: it failed, nobody knows where.</summary>
public enum DeliveryFault
{
    /// <summary>It never arrived.</summary>
    RequestLost,

    /// <summary>It was done, and the answer did not arrive.</summary>
    ReplyLost,

    /// <summary>It was sent, and was given up before its answer could come. It may be done before its repetition, after it, or at the same time.</summary>
    ReportedFailed,
}
