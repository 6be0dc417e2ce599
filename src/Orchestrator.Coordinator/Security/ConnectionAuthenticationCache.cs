using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Security;

/// <summary>Which of the coordinator's ports a connection came in by: each serves only its own routes.</summary>
internal enum PortKind
{
    /// <summary>gRPC, by TCP or by the Unix socket.</summary>
    Grpc,

    /// <summary>Probes and metrics, over HTTP/1.</summary>
    Http,
}

/// <summary>
/// What is remembered of a connection: its port, whether a credential has been accepted on it, and its last call, so that the next one with the same credential costs
/// no hash. That one is compared with what the same connection has sent before, so its time tells nobody anything new.
/// </summary>
internal sealed class ConnectionAuthenticationCache(PortKind port)
{
    private readonly TaskCompletionSource _authenticated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CachedAuthentication? _last;
    private long _heldBytes;

    /// <summary>The port that the connection came in by.</summary>
    public PortKind Port => port;

    /// <summary>Completes with the first call whose credential is accepted.</summary>
    public Task Authenticated => _authenticated.Task;

    /// <summary>Whether a call's credential has been accepted.</summary>
    public bool IsAuthenticated => _authenticated.Task.IsCompleted;

    /// <summary>The last call.</summary>
    public CachedAuthentication? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    /// <summary>A credential has been accepted.</summary>
    public void MarkAuthenticated() => _authenticated.TrySetResult();

    /// <summary>Counts bytes of this connection's incomplete messages; returns how many there are now.</summary>
    public long Hold(long bytes) => Interlocked.Add(ref _heldBytes, bytes);

    /// <summary>A connection middleware that gives each connection one.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Attach(PortKind port) => next => connection =>
    {
        connection.Features.Set(new ConnectionAuthenticationCache(port));
        return next(connection);
    };
}
