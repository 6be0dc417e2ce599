using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;

namespace Orchestrator.Client.Synchronous;

/// <summary>Shared queues and pipes for code that cannot wait asynchronously: each method holds its thread until the answer.</summary>
/// <remarks>Errors are those of the asynchronous methods. Safe on any thread, also one with a synchronization context.</remarks>
public static class SynchronousQueues
{
    /// <summary>As <see cref="SharedQueue{T}.PutAsync(T, long, CancellationToken)"/>.</summary>
    public static void Put<T>(this SharedQueue<T> queue, T body, long priority = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        Blocking.Wait(queue.PutAsync(body, priority, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.TryPutAsync(T, TimeSpan, long, CancellationToken)"/>.</summary>
    public static bool TryPut<T>(
        this SharedQueue<T> queue, T body, TimeSpan timeout, long priority = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.TryPutAsync(body, timeout, priority, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.PutAllAsync(IEnumerable{T}, long, CancellationToken)"/>.</summary>
    public static void PutAll<T>(
        this SharedQueue<T> queue, IEnumerable<T> bodies, long priority = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        Blocking.Wait(queue.PutAllAsync(bodies, priority, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.GetAsync(CancellationToken)"/>.</summary>
    public static T? Get<T>(this SharedQueue<T> queue, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.GetAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.TryGetAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static T? TryGet<T>(this SharedQueue<T> queue, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.TryGetAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.LeaseAsync(TimeSpan?, CancellationToken)"/>.</summary>
    public static LeasedItem<T>? Lease<T>(
        this SharedQueue<T> queue, TimeSpan? lease = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.LeaseAsync(lease, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.TryLeaseAsync(TimeSpan, TimeSpan?, CancellationToken)"/>.</summary>
    public static LeasedItem<T>? TryLease<T>(
        this SharedQueue<T> queue, TimeSpan timeout, TimeSpan? lease = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.TryLeaseAsync(timeout, lease, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.MarkDoneAsync(int, CancellationToken)"/>.</summary>
    public static long MarkDone<T>(this SharedQueue<T> queue, int count = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.MarkDoneAsync(count, cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.JoinAsync(CancellationToken)"/>.</summary>
    public static void Join<T>(this SharedQueue<T> queue, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        Blocking.Wait(queue.JoinAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedQueue{T}.TryJoinAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static long TryJoin<T>(this SharedQueue<T> queue, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return Blocking.Wait(queue.TryJoinAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="LeasedItem{T}.CompleteAsync(CancellationToken)"/>.</summary>
    public static bool Complete<T>(this LeasedItem<T> item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Blocking.Wait(item.CompleteAsync(cancellationToken));
    }

    /// <summary>As <see cref="LeasedItem{T}.ExtendAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static bool Extend<T>(this LeasedItem<T> item, TimeSpan lease, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Blocking.Wait(item.ExtendAsync(lease, cancellationToken));
    }

    /// <summary>As <see cref="LeasedItem{T}.RejectAsync(string, CancellationToken)"/>.</summary>
    public static bool Reject<T>(this LeasedItem<T> item, string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Blocking.Wait(item.RejectAsync(reason, cancellationToken));
    }

    /// <summary>As <see cref="SharedPipeEnd{T}.SendAsync(T, CancellationToken)"/>.</summary>
    public static void Send<T>(this SharedPipeEnd<T> end, T message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(end);
        Blocking.Wait(end.SendAsync(message, cancellationToken));
    }

    /// <summary>As <see cref="SharedPipeEnd{T}.TrySendAsync(T, TimeSpan, CancellationToken)"/>.</summary>
    public static bool TrySend<T>(this SharedPipeEnd<T> end, T message, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(end);
        return Blocking.Wait(end.TrySendAsync(message, timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedPipeEnd{T}.ReceiveAsync(CancellationToken)"/>.</summary>
    public static T? Receive<T>(this SharedPipeEnd<T> end, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(end);
        return Blocking.Wait(end.ReceiveAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedPipeEnd{T}.TryReceiveAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static (T? Message, bool EndOfFile) TryReceive<T>(
        this SharedPipeEnd<T> end, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(end);
        return Blocking.Wait(end.TryReceiveAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedPipeEnd{T}.CloseAsync(CancellationToken)"/>.</summary>
    public static void Close<T>(this SharedPipeEnd<T> end, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(end);
        Blocking.Wait(end.CloseAsync(cancellationToken));
    }
}
