using System.Collections.Concurrent;
using Grpc.Core;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Security;

/// <summary>The quota of one client: the engines count its tasks and sessions, this class its streams.</summary>
internal sealed class ClientQuota(ClientObjectQuota objects, long number, int maxStreams, OpenStreams all)
{
    private int _streams;

    /// <summary>Its unfinished tasks.</summary>
    public ClientTaskQuota Tasks { get; } = new(objects.Name, number) { Objects = objects };

    /// <summary>Its sessions, objects and waits.</summary>
    public ClientObjectQuota Objects => objects;

    /// <summary>Its open streams.</summary>
    public int Streams => Volatile.Read(ref _streams);

    /// <summary>The client quota of a call that the gate has admitted.</summary>
    public static ClientQuota Of(ServerCallContext context) => CallScope.FindQuota(context)!;

    /// <summary>Runs a stream, unless the client has reached its stream limit.</summary>
    public async Task RunAsync(Func<Task> stream)
    {
        // Refused at once, not queued: one client could fill a queue in front of the handlers with streams that wait for each other.
        if (Interlocked.Increment(ref _streams) > maxStreams)
        {
            Interlocked.Decrement(ref _streams);
            throw RpcErrors.LimitExceeded(objects.Name,
                $"client {objects.Name} has {maxStreams} open streams, the most that one client may have at once (streams_per_client)");
        }

        all.OnBegun();
        try
        {
            await stream();
        }
        finally
        {
            all.OnEnded();
            Interlocked.Decrement(ref _streams);
        }
    }
}

/// <summary>The number of streams that are open, of all clients.</summary>
internal sealed class OpenStreams
{
    private int _count;

    /// <summary>How many are open.</summary>
    public int Count => Volatile.Read(ref _count);

    public void OnBegun() => Interlocked.Increment(ref _count);

    public void OnEnded() => Interlocked.Decrement(ref _count);
}

/// <summary>
/// The quotas of all clients. A credential made for one client identifies that client over all its connections; with a credential that
/// every program of the owner finds, each connection is a separate client.
/// </summary>
internal sealed class ClientQuotaRegistry(CoordinatorOptions options)
{
    private readonly ConcurrentDictionary<string, ClientQuota> _byCredential = new();
    private long _number;

    /// <summary>The open streams of all clients.</summary>
    public OpenStreams Streams { get; } = new();

    public ClientQuota Of<T>(in T origin, Principal caller)
        where T : struct, ICallOrigin
    {
        if (origin.ConnectionItems is not { } items)
            return OfCredential(caller);
        // A connection's calls run concurrently, and may carry several credentials.
        lock (items)
        {
            if (items.TryGetValue(caller, out var known) && known is ClientQuota quota)
                return quota;
            quota = caller.IsShared
                ? Open(new ClientObjectQuota($"{caller.Name}/{origin.ConnectionId}", caller.IsOwner ? ""
                : caller.Name)
                { ActsForTasks = caller.Worker is not null || caller.IsOwner })
                : OfCredential(caller);
            items[caller] = quota;
            return quota;
        }
    }

    private ClientQuota OfCredential(Principal caller) =>
        _byCredential.GetOrAdd(caller.Name, name => Open(options.Objects.Clients.Of(name)));

    private ClientQuota Open(ClientObjectQuota objects) =>
        new(objects, Interlocked.Increment(ref _number), options.MaxStreamsPerClient, Streams);
}
