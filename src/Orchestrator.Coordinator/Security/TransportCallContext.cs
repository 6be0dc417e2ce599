using Grpc.Core;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Coordinator.Security;

/// <summary>The context of a call that does not come over HTTP.</summary>
internal abstract class TransportCallContext : ServerCallContext
{
    /// <summary>The caller and its quota; null for a method that needs no credential.</summary>
    public abstract CachedAuthentication? Authentication { get; }

    /// <summary>Its W3C trace context; may be empty.</summary>
    public abstract string TraceParent { get; }

    /// <summary>Fires when the caller has disconnected.</summary>
    public abstract CancellationToken Disconnected { get; }

    /// <summary>Gives the caller a file descriptor; before anything else of the answer.</summary>
    /// <exception cref="IOException">The caller has disconnected, or this process is out of file descriptors.</exception>
    public abstract void SendDescriptor(SafeFileHandle descriptor);

    /// <summary>Calls back once, at the call's end: with true if its answer was passed to a caller that was still connected.</summary>
    public abstract void OnAnswered(Action<bool> answered);
}
