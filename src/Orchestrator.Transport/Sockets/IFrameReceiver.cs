namespace Orchestrator.Transport.Sockets;

/// <summary>Receives the frames of a connection. Called by one thread at a time, except for <see cref="OnClosed"/>.</summary>
internal interface IFrameReceiver
{
    /// <summary>The largest content that a frame of this kind may have; negative if the kind is not expected.</summary>
    int LimitOf(FrameKind kind);

    /// <summary>Whether it keeps what is large in the message that is arriving: then that gets an array of its own.</summary>
    bool KeepsContent => false;

    /// <summary>A frame has arrived, as wanted. The next one comes after another <see cref="FrameConnection.Want"/>.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="content">Its content, until this returns or calls <see cref="FrameConnection.EndRead"/>, unless it is
    /// in an array of its own.</param>
    void OnFrame(FrameKind kind, ReadOnlyMemory<byte> content);

    /// <summary>In place of a message that is too large. The next frame comes after another <see cref="FrameConnection.Want"/>.</summary>
    void OnTooLarge(uint length);

    /// <summary>A frame that is not expected, or that is too large and no message. The connection is of no use any more.</summary>
    void OnViolation(FrameKind kind, uint length);

    /// <summary>The bytes of an incomplete frame that are kept, which count for its sender; 0 once it is complete.</summary>
    void OnIncomplete(int bytes);

    /// <summary>The receiver itself has failed to handle a frame. The connection is of no use any more.</summary>
    void OnFault(Exception fault);

    /// <summary>The peer has closed the connection, or it broke. Called once, possibly while a frame is handled.</summary>
    void OnClosed();
}
