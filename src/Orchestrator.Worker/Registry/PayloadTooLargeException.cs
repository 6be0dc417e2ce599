using Orchestrator.Contracts;

namespace Orchestrator.Worker;

/// <summary>An output or a partial output exceeds <see cref="ProtocolConstants.MaxPayloadBytes"/>; fails the task with LIMIT_EXCEEDED.</summary>
public sealed class PayloadTooLargeException : Exception
{
    internal PayloadTooLargeException(string what, long size)
        : base($"{what} has {size} bytes; the limit is {ProtocolConstants.MaxPayloadBytes} bytes")
    {
    }
}
