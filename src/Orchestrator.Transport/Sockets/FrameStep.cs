namespace Orchestrator.Transport.Sockets;

/// <summary>What a <see cref="FrameBuffer"/> holds.</summary>
internal enum FrameStep
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>A whole frame.</summary>
    Frame,

    /// <summary>A message that is too large: its content is skipped as it arrives.</summary>
    TooLarge,

    /// <summary>A frame that is not expected, or that is too large and no message.</summary>
    Violation,
}
