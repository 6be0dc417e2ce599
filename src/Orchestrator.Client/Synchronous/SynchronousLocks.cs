using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;

namespace Orchestrator.Client.Synchronous;

/// <summary>Locks and other means of synchronization for code that cannot wait asynchronously: each method holds its thread.</summary>
/// <remarks>Errors are those of the asynchronous methods. Safe on any thread, also one with a synchronization context.</remarks>
public static class SynchronousLocks
{
    /// <summary>As <see cref="SharedLock.AcquireAsync(CancellationToken)"/>.</summary>
    public static LockHold Acquire(this SharedLock theLock, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(theLock);
        return Blocking.Wait(theLock.AcquireAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedLock.TryAcquireAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static LockHold? TryAcquire(this SharedLock theLock, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(theLock);
        return Blocking.Wait(theLock.TryAcquireAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedSemaphore.AcquireAsync(int, CancellationToken)"/>.</summary>
    public static PermitHold Acquire(this SharedSemaphore semaphore, int permits = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(semaphore);
        return Blocking.Wait(semaphore.AcquireAsync(permits, cancellationToken));
    }

    /// <summary>As <see cref="SharedSemaphore.TryAcquireAsync(TimeSpan, int, CancellationToken)"/>.</summary>
    public static PermitHold? TryAcquire(
        this SharedSemaphore semaphore, TimeSpan timeout, int permits = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(semaphore);
        return Blocking.Wait(semaphore.TryAcquireAsync(timeout, permits, cancellationToken));
    }

    /// <summary>As <see cref="SharedSemaphore.ReleaseAsync(int, CancellationToken)"/>.</summary>
    public static int Release(this SharedSemaphore semaphore, int permits = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(semaphore);
        return Blocking.Wait(semaphore.ReleaseAsync(permits, cancellationToken));
    }

    /// <summary>As <see cref="SharedEvent.SetAsync(CancellationToken)"/>.</summary>
    public static bool Set(this SharedEvent theEvent, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(theEvent);
        return Blocking.Wait(theEvent.SetAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedEvent.ClearAsync(CancellationToken)"/>.</summary>
    public static bool Clear(this SharedEvent theEvent, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(theEvent);
        return Blocking.Wait(theEvent.ClearAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedEvent.WaitAsync(CancellationToken)"/>.</summary>
    public static void Wait(this SharedEvent theEvent, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(theEvent);
        Blocking.Wait(theEvent.WaitAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedEvent.TryWaitAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static bool TryWait(this SharedEvent theEvent, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(theEvent);
        return Blocking.Wait(theEvent.TryWaitAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedLatch.CountDownAsync(long, CancellationToken)"/>.</summary>
    public static long CountDown(this SharedLatch latch, long by = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(latch);
        return Blocking.Wait(latch.CountDownAsync(by, cancellationToken));
    }

    /// <summary>As <see cref="SharedLatch.WaitAsync(CancellationToken)"/>.</summary>
    public static void Wait(this SharedLatch latch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(latch);
        Blocking.Wait(latch.WaitAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedLatch.TryWaitAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static bool TryWait(this SharedLatch latch, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(latch);
        return Blocking.Wait(latch.TryWaitAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedBarrier.WaitAsync(CancellationToken)"/>.</summary>
    public static int Wait(this SharedBarrier barrier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(barrier);
        return Blocking.Wait(barrier.WaitAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedBarrier.TryWaitAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static int? TryWait(this SharedBarrier barrier, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(barrier);
        return Blocking.Wait(barrier.TryWaitAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedBarrier.ResetAsync(CancellationToken)"/>.</summary>
    public static int Reset(this SharedBarrier barrier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(barrier);
        return Blocking.Wait(barrier.ResetAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedBarrier.AbortAsync(CancellationToken)"/>.</summary>
    public static int Abort(this SharedBarrier barrier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(barrier);
        return Blocking.Wait(barrier.AbortAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedCondition.WaitAsync(CancellationToken)"/>.</summary>
    public static void Wait(this SharedCondition condition, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        Blocking.Wait(condition.WaitAsync(cancellationToken));
    }

    /// <summary>As <see cref="SharedCondition.TryWaitAsync(TimeSpan, CancellationToken)"/>.</summary>
    public static bool TryWait(this SharedCondition condition, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Blocking.Wait(condition.TryWaitAsync(timeout, cancellationToken));
    }

    /// <summary>As <see cref="SharedCondition.NotifyAsync(int, CancellationToken)"/>.</summary>
    public static int Notify(this SharedCondition condition, int count = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Blocking.Wait(condition.NotifyAsync(count, cancellationToken));
    }

    /// <summary>As <see cref="SharedRateLimiter.AcquireAsync(long, CancellationToken)"/>.</summary>
    public static void Acquire(this SharedRateLimiter limiter, long permits = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(limiter);
        Blocking.Wait(limiter.AcquireAsync(permits, cancellationToken));
    }

    /// <summary>As <see cref="SharedRateLimiter.TryAcquireAsync(TimeSpan, long, CancellationToken)"/>.</summary>
    public static TimeSpan? TryAcquire(
        this SharedRateLimiter limiter, TimeSpan timeout, long permits = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(limiter);
        return Blocking.Wait(limiter.TryAcquireAsync(timeout, permits, cancellationToken));
    }

    /// <summary>As <see cref="LockHold.ReleaseAsync"/>.</summary>
    public static void Release(this LockHold hold)
    {
        ArgumentNullException.ThrowIfNull(hold);
        Blocking.Wait(hold.ReleaseAsync());
    }

    /// <summary>As <see cref="PermitHold.ReleaseAsync"/>.</summary>
    public static void Release(this PermitHold hold)
    {
        ArgumentNullException.ThrowIfNull(hold);
        Blocking.Wait(hold.ReleaseAsync());
    }
}
