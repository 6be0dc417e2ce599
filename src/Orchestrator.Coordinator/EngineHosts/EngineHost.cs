using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// Owns an engine: its lock, its clock and its one timer. Under the lock, commands are applied and their effects are routed to their
/// recipients, which preserves their order; everything that takes time happens after the lock has been released.
/// </summary>
/// <typeparam name="TEngine">The engine.</typeparam>
/// <typeparam name="TEffects">What its commands want done.</typeparam>
internal abstract class EngineHost<TEngine, TEffects> : IDisposable
    where TEffects : new()
{
    // Adjacent effects mostly concern the same few recipients: a short backward scan is faster than a set.
    private const int LookBack = 4;

    [ThreadStatic]
    private static List<IFlushable>? s_dirty;

    private readonly MonotonicClock _clock;
    private readonly EngineTimer _timer;

    protected EngineHost(TEngine engine, MonotonicClock clock, ILogger logger)
    {
        Engine = engine;
        _clock = clock;
        _timer = new EngineTimer(clock, Tick, logger);
    }

    /// <summary>The engine's lock.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>How long commands wait for the lock.</summary>
    protected LockWaits Waits { get; } = new();

    /// <summary>The same, by the buckets of <see cref="Core.Common.DurationHistogram"/>.</summary>
    public long[] ReadLockWaits()
    {
        lock (Gate)
            return Waits.Read();
    }

    /// <summary>The engine; accessed only under its lock.</summary>
    protected TEngine Engine { get; }

    /// <summary>The effects of the current step; accessed only under the engine's lock.</summary>
    protected TEffects Effects { get; } = new();

    /// <summary>The time.</summary>
    protected TimeSpan Now => _clock.Now;

    /// <summary>Advances the engine to the current time, as its timer does.</summary>
    public void Tick()
    {
        var dirty = RentDirty();
        lock (Gate)
        {
            if (!_timer.OnTick())
                return;
            try
            {
                TickLocked();
            }
            catch (Exception exception)
            {
                OnFault(exception);
            }

            RouteEffectsLocked(dirty);
        }

        FlushAll(dirty);
    }

    public virtual void Dispose()
    {
        lock (Gate)
            _timer.Dispose();
    }

    /// <summary>Advances the engine's time.</summary>
    protected abstract void TickLocked();

    /// <summary>
    /// Routes each effect to its recipient, adds the recipients to <paramref name="dirty"/>, and calls <see cref="ArmLocked"/>.
    /// </summary>
    protected abstract void RouteEffectsLocked(List<IFlushable> dirty);

    /// <summary>Ensures that the timer fires no later than the engine's next deadline; null if nothing depends on time.</summary>
    protected void ArmLocked(TimeSpan? deadline)
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        _timer.Arm(deadline);
    }

    /// <summary>Logs a step of the engine that threw, which is a defect; the effects that it had produced before are carried out.</summary>
    protected void OnFault(Exception exception) => _timer.OnFault(exception);

    /// <summary>A list for the recipients of a step, which <see cref="FlushAll"/> takes back.</summary>
    protected static List<IFlushable> RentDirty()
    {
        // A flush may re-enter this class on the same thread, so the list is taken out of the field while in use.
        var dirty = s_dirty ?? [];
        s_dirty = null;
        return dirty;
    }

    /// <summary>Adds a recipient, unless it is one of the last.</summary>
    protected static void Touch(List<IFlushable> dirty, IFlushable item)
    {
        for (var i = dirty.Count - 1; i >= 0 && i >= dirty.Count - LookBack; i--)
        {
            if (dirty[i] == item)
                return;
        }

        dirty.Add(item);
    }

    /// <summary>Lets the recipients do what takes time, after the lock has been released.</summary>
    protected static void FlushAll(List<IFlushable> dirty)
    {
        var alone = dirty.Count == 1;
        foreach (var item in dirty)
            item.Flush(alone);
        dirty.Clear();
        s_dirty = dirty;
    }
}
