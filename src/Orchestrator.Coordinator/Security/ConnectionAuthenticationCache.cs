using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Security;

/// <summary>The coordinator port that a connection uses: each port serves only its own routes.</summary>
internal enum PortKind
{
    /// <summary>gRPC, over TCP or the Unix socket.</summary>
    Grpc,

    /// <summary>Probes and metrics, over HTTP/1.</summary>
    Http,
}

/// <summary>
/// The cached state of a connection: its port, whether a credential has been accepted on it, and its last call, so that the next call with
/// the same credential needs no hash. The comparison is only with the same connection's previous header, so its timing reveals nothing new.
/// </summary>
internal sealed class ConnectionAuthenticationCache(PortKind port)
{
    private readonly TaskCompletionSource _authenticated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CachedAuthentication? _last;
    private long _heldBytes;

    /// <summary>The port that the connection uses.</summary>
    public PortKind Port => port;

    /// <summary>Completes when a call's credential is first accepted.</summary>
    public Task Authenticated => _authenticated.Task;

    /// <summary>Whether a call's credential has been accepted.</summary>
    public bool IsAuthenticated => _authenticated.Task.IsCompleted;

    /// <summary>The last call.</summary>
    public CachedAuthentication? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    /// <summary>Marks the connection as authenticated.</summary>
    public void MarkAuthenticated() => _authenticated.TrySetResult();

    /// <summary>Counts bytes of this connection's incomplete messages; returns how many there are now.</summary>
    public long Hold(long bytes) => Interlocked.Add(ref _heldBytes, bytes);

    /// <summary>A connection middleware that gives each connection a cache.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Attach(PortKind port) => next => connection =>
    {
        connection.Features.Set(new ConnectionAuthenticationCache(port));
        return next(connection);
    };
}
