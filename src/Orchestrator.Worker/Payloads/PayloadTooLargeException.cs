using Orchestrator.Protocol;

namespace Orchestrator.Worker.Payloads;

/// <summary>
/// An output or a partial output exceeds <see cref="ProtocolConstants.MaxPayloadBytes"/>; fails the task with LIMIT_EXCEEDED.
/// </summary>
public sealed class PayloadTooLargeException : Exception
{
    /// <summary>The error reads <c>WHAT has SIZE bytes; the limit is …</c>.</summary>
    public PayloadTooLargeException(string what, long size)
        : base($"{what} has {size} bytes; the limit is {ProtocolConstants.MaxPayloadBytes} bytes")
    {
    }
}
