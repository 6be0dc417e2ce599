namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>What happens to a call. The caller cannot distinguish the cases: the call failed at an unknown point.</summary>
public enum DeliveryFault
{
    /// <summary>The request never arrived.</summary>
    RequestLost,

    /// <summary>The call was executed, and the response did not arrive.</summary>
    ReplyLost,

    /// <summary>
    /// The request was sent, and given up before its response. It may be executed before its repetition, after it, or concurrently.
    /// </summary>
    ReportedFailed,
}
