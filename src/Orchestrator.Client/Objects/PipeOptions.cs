using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>How a pipe is created.</summary>
public sealed record PipeOptions
{
    /// <summary>Whether both ends send and receive; otherwise end B sends to end A.</summary>
    public bool Duplex { get; init; }

    /// <summary>The most messages that each direction holds; 0 takes the coordinator's default. A full one blocks its sender.</summary>
    public int MaxMessages { get; init; }

    /// <summary>The most bytes that each direction holds; 0 takes the coordinator's default.</summary>
    public long MaxBytes { get; init; }

    internal PipeSpec ToMessage(string name) =>
        new() { Name = name, Duplex = Duplex, MaxMessages = MaxMessages, MaxBytes = MaxBytes };
}
