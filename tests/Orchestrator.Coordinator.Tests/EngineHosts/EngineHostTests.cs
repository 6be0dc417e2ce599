using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Tests.EngineHosts;

/// <summary>One step of an engine's host: what is done under the lock, what after it, and what a fault in the engine leaves.</summary>
public sealed class EngineHostTests : IDisposable
{
    private readonly HandTime _time = new();
    private readonly Faults _faults = new();
    private readonly MonotonicClock _clock;
    private readonly Host _host;

    public EngineHostTests()
    {
        _clock = new MonotonicClock(_time);
        _host = new Host(_clock, _faults);
    }

    public void Dispose()
    {
        _host.Dispose();
        _clock.Dispose();
    }

    [Fact]
    public void Recipients_are_flushed_once_and_in_order_after_the_lock_was_released()
    {
        var (a, b) = (new Recipient(_host), new Recipient(_host));
        _host.OnTickLocked = effects => effects.AddRange([a, b, a, a, b]);
        _host.Tick();
        Assert.Equal([a, b], _host.Flushed);
        Assert.All(_host.Flushed, recipient => Assert.False(recipient.WasUnderLock));
        Assert.All(_host.Flushed, recipient => Assert.False(recipient.WasAlone));
    }

    [Fact]
    public void A_single_recipient_knows_that_nothing_else_waits()
    {
        var only = new Recipient(_host);
        _host.OnTickLocked = effects => effects.AddRange([only, only]);
        _host.Tick();
        Assert.Same(only, Assert.Single(_host.Flushed));
        Assert.True(only.WasAlone);
    }

    [Fact]
    public void A_step_that_throws_is_logged_and_what_it_did_before_is_carried_out()
    {
        var recipient = new Recipient(_host);
        _host.OnTickLocked = effects =>
        {
            effects.Add(recipient);
            throw new InvalidOperationException("a defect");
        };
        _host.Tick();
        Assert.Equal("a defect", Assert.Single(_faults.Thrown).Message);
        Assert.Same(recipient, Assert.Single(_host.Flushed));
        _host.OnTickLocked = effects => effects.Add(recipient);
        _host.Tick();
        Assert.Equal(2, _host.Flushed.Count);
        Assert.Single(_faults.Thrown);
    }

    [Fact]
    public void A_recipient_may_start_another_step_while_it_is_flushed()
    {
        var inner = new Recipient(_host);
        var outer = new Recipient(_host) { OnFlush = () => _host.Tick() };
        var last = new Recipient(_host);
        _host.OnTickLocked = effects =>
        {
            _host.OnTickLocked = inside => inside.Add(inner);
            effects.AddRange([outer, last]);
        };
        _host.Tick();
        Assert.Equal([outer, inner, last], _host.Flushed);
    }

    [Fact]
    public void The_timer_steps_at_the_deadline_and_not_before()
    {
        _host.Deadline = TimeSpan.FromSeconds(10);
        _host.Tick();
        Assert.Equal(1, _host.Ticks);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(1, _host.Ticks);
        _host.Deadline = null;
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, _host.Ticks);
        _time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(2, _host.Ticks);
    }

    [Fact]
    public void A_deadline_of_years_is_looked_at_once_a_day()
    {
        _host.Deadline = TimeSpan.FromDays(3_650);
        _host.Tick();
        for (var day = 1; day <= 3; day++)
        {
            _time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));
            Assert.Equal(1 + day, _host.Ticks);
        }
    }

    [Fact]
    public void After_its_end_nothing_touches_the_engine()
    {
        _host.Dispose();
        _host.Tick();
        Assert.Equal(0, _host.Ticks);
    }

    private sealed class Host(MonotonicClock clock, ILogger logger) : EngineHost<object, List<Recipient>>(new object(), clock, logger)
    {
        public Action<List<Recipient>> OnTickLocked { get; set; } = _ => { };

        public List<Recipient> Flushed { get; } = [];

        public TimeSpan? Deadline { get; set; }

        public int Ticks { get; private set; }

        public bool IsLocked => Gate.IsHeldByCurrentThread;

        protected override void TickLocked()
        {
            Ticks++;
            OnTickLocked(Effects);
        }

        protected override void RouteEffectsLocked(List<IFlushable> dirty)
        {
            foreach (var recipient in Effects)
                Touch(dirty, recipient);
            Effects.Clear();
            ArmLocked(Deadline);
        }
    }

    private sealed class Recipient(Host host) : IFlushable
    {
        public Action OnFlush { get; init; } = () => { };

        public bool WasUnderLock { get; private set; }

        public bool WasAlone { get; private set; }

        public void Flush(bool alone)
        {
            (WasUnderLock, WasAlone) = (host.IsLocked, alone);
            host.Flushed.Add(this);
            OnFlush();
        }
    }

    private sealed class Faults : ILogger
    {
        public List<Exception> Thrown { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Thrown.Add(exception!);
    }
}
