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

    /// <summary>
    /// Whether the ends, both on the coordinator's machine, exchange messages over sockets of their own: faster, but the coordinator cannot
    /// show or count the messages, and the bounds above must be 0. Each end is used by
    /// <see cref="SharedPipeEnd{T}.AttachDirectAsync"/>.
    /// </summary>
    public bool Direct { get; init; }

    internal PipeSpec ToMessage(string name) =>
        new() { Name = name, Duplex = Duplex, MaxMessages = MaxMessages, MaxBytes = MaxBytes, Direct = Direct };
}
