namespace Orchestrator.Transport.Sockets;

/// <summary>What a <see cref="FrameBuffer"/> holds.</summary>
internal enum FrameStep
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>A whole frame.</summary>
    Frame,

    /// <summary>A frame that is not expected or too large.</summary>
    Violation,
}
