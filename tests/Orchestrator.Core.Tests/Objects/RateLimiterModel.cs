using Orchestrator.Core.Kernel;
using Orchestrator.Core.RateLimiters;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Reference model of a rate limiter by its definition: every permit ever granted, and whether one more keeps the promise over every time
/// span that ends now.
/// </summary>
internal sealed class RateLimiterModel(RateLimiterSpec spec) : ISyncModel
{
    private readonly List<(int Request, long At, long Permits)> _given = [];
    private readonly List<Wait> _line = [];
    private long _now;

    public List<(int Request, string Result)> Ended { get; } = [];

    public IEnumerable<int> Waiting => _line.Select(wait => wait.Number);

    public int Objects => 1;

    /// <summary>The requests whose retry-after was exact, since no other request waited.</summary>
    public HashSet<int> Exact { get; } = [];

    public void Apply(int request, long session, ObjectCommand command, long now)
    {
        _now = now;
        var acquire = (AcquirePermits)command;
        if (_line.Count == 0 && IsAllowed(acquire.Permits, now))
            Give(request, acquire.Permits);
        else if (acquire.Timeout == TimeSpan.Zero)
            Ended.Add((request, TimedOut(request, acquire.Permits)));
        else
            _line.Add(new Wait(request, session, acquire.Permits, acquire.Timeout is { } timeout ? now + timeout.Ticks : long.MaxValue));
    }

    public void Advance(long now)
    {
        _now = now;
        Serve();
        while (_line.OrderBy(wait => (wait.Deadline, wait.Number)).FirstOrDefault() is { } first && first.Deadline <= now)
        {
            _line.Remove(first);
            Ended.Add((first.Number, TimedOut(first.Number, first.Permits)));
            Serve();
        }
    }

    public void Abandon(int request)
    {
        _line.RemoveAll(wait => wait.Number == request);
        Serve();
    }

    public void GiveBack(int request)
    {
        _given.RemoveAll(given => given.Request == request);
        Serve();
    }

    public void End(long session)
    {
        foreach (var wait in _line.FindAll(wait => wait.Session == session))
            Ended.Add((wait.Number, "SessionLost"));
        _line.RemoveAll(wait => wait.Session == session);
        Serve();
    }

    /// <summary>Throws when more permits were granted and kept in some span than the limit allows.</summary>
    public void CheckEverySpan()
    {
        for (var first = 0; first < _given.Count; first++)
        {
            var sum = 0L;
            for (var last = first; last < _given.Count; last++)
            {
                sum += _given[last].Permits;
                var span = _given[last].At - _given[first].At;
                Assert.True(
                    spec.SlidingWindow
                        ? span >= spec.Period.Ticks || sum <= spec.Permits : (sum - spec.Burst) * spec.Period.Ticks <= span * spec.Permits,
                    $"{sum} permits in {span} ticks");
            }
        }
    }

    public void Note(int request, long permits, long at) => _given.Add((request, at, permits));

    private string TimedOut(int request, long permits)
    {
        // Behind other waiters it is an estimate.
        if (_line.Count > 0)
            return "Timeout";
        Exact.Add(request);
        var wait = 1L;
        while (!IsAllowed(permits, _now + wait))
            wait++;
        return $"Timeout {wait}";
    }

    private bool IsAllowed(long permits, long at)
    {
        if (spec.SlidingWindow)
            return _given.Where(given => given.At > at - spec.Period.Ticks).Sum(given => given.Permits) + permits <= spec.Permits;
        var sum = permits;
        for (var i = _given.Count - 1; i >= 0; i--)
        {
            sum += _given[i].Permits;
            if ((sum - spec.Burst) * spec.Period.Ticks > (at - _given[i].At) * spec.Permits)
                return false;
        }

        return permits <= spec.Burst;
    }

    private void Serve()
    {
        while (_line.Count > 0 && IsAllowed(_line[0].Permits, _now))
        {
            var next = _line[0];
            _line.RemoveAt(0);
            Give(next.Number, next.Permits);
        }
    }

    private void Give(int request, long permits)
    {
        Note(request, permits, _now);
        Ended.Add((request, "Ok"));
    }

    private sealed record Wait(int Number, long Session, long Permits, long Deadline);
}
