namespace Orchestrator.Transport.Sockets;

/// <summary>The frames of the local transport; <c>protos/orchestrator/local/v1/local.proto</c> describes them.</summary>
internal enum FrameKind : byte
{
    /// <summary>A message of the call: gRPC's own prefix of an uncompressed message.</summary>
    Message = 0,

    /// <summary>Begins a call.</summary>
    Open = 16,

    /// <summary>No message of the client follows.</summary>
    HalfClose = 17,

    /// <summary>Ends a call.</summary>
    Status = 18,

    /// <summary>The client gives the call up.</summary>
    Cancel = 19,

    /// <summary>Carries a file descriptor.</summary>
    Descriptor = 20,
}
