using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>What each handler did in the last ten seconds. To be used under the task engine's lock.</summary>
internal sealed class HandlerWindows(MonotonicClock clock)
{
    // The oldest was taken ten to eleven seconds ago.
    private const int Samples = 11;

    private readonly Dictionary<HandlerProfile, Activity> _activities = [];
    private readonly TimeSpan[] _sampledAt = NewTimes(clock.Now);
    private readonly (long Ended, long Failed)[] _ends = new (long, long)[Samples];
    private int _next;

    /// <summary>Takes a sample. Called once a second, which is what the window's ends are exact to.</summary>
    public void Sample(TaskEngineView view)
    {
        var seen = 0;
        foreach (var (handler, _) in Used(view))
        {
            if (!_activities.TryGetValue(handler, out var activity))
                _activities.Add(handler, activity = new Activity(handler));
            activity.Sample();
            seen++;
        }

        // Some handlers are not offered any more.
        if (seen < _activities.Count)
        {
            var used = Used(view).Select(item => item.Handler).ToHashSet();
            foreach (var handler in _activities.Keys.Where(handler => !used.Contains(handler)).ToList())
                _activities.Remove(handler);
        }

        _ends[_next] = (view.Tally.EndedTotal, view.Tally.FailedTotal);
        _sampledAt[_next] = clock.Now;
        _next = (_next + 1) % Samples;
    }

    /// <summary>The window up to now.</summary>
    public V1.Window Report(TaskEngineView view)
    {
        var length = clock.Now - _sampledAt[_next];
        var seconds = Math.Max(0.001, length.TotalSeconds);
        var window = new V1.Window
        {
            Length = Duration.FromTimeSpan(length),
            PerSecond = (view.Tally.EndedTotal - _ends[_next].Ended) / seconds,
            FailedPerSecond = (view.Tally.FailedTotal - _ends[_next].Failed) / seconds,
        };
        var latencies = new List<DurationWindow>();
        foreach (var (handler, placement) in Used(view))
        {
            // One without a sample began within the last second, which is part of the window.
            var activity = _activities.GetValueOrDefault(handler) ?? new Activity(handler);
            if (!activity.IsActive)
                continue;
            window.Handlers.Add(activity.ToMessage(StatusReporter.NameOf(handler, placement), seconds));
            latencies.Add(activity.Latencies);
        }

        window.LatencyP50 = ToDuration(DurationWindow.Quantile(latencies, 0.5));
        window.LatencyP90 = ToDuration(DurationWindow.Quantile(latencies, 0.9));
        window.LatencyP99 = ToDuration(DurationWindow.Quantile(latencies, 0.99));

        return window;
    }

    private static Duration? ToDuration(long? ticks) => ticks is { } known ? WorkerMessageMapper.ToDuration(known) : null;

    private static IEnumerable<(HandlerProfile Handler, PlacementPolicy Placement)> Used(TaskEngineView view) =>
        from placement in System.Enum.GetValues<PlacementPolicy>()
        from handler in view.HandlersOf(placement)
        where handler.Tally.EndedTotal + handler.Tally.Queued + handler.Tally.Running > 0
        select (handler, placement);

    private static TimeSpan[] NewTimes(TimeSpan now)
    {
        var times = new TimeSpan[Samples];
        Array.Fill(times, now);
        return times;
    }

    private sealed class Activity(HandlerProfile handler)
    {
        private readonly DurationWindow _runs = new(handler.RunTimes, Samples);
        private readonly DurationWindow _latencies = new(handler.Latencies, Samples);
        private readonly (long Ended, long Failed)[] _ends = new (long, long)[Samples];
        private int _next;

        public DurationWindow Latencies => _latencies;

        public bool IsActive => handler.Tally.EndedTotal > _ends[_next].Ended || _runs.Count > 0;

        public void Sample()
        {
            _runs.Sample();
            _latencies.Sample();
            _ends[_next] = (handler.Tally.EndedTotal, handler.Tally.FailedTotal);
            _next = (_next + 1) % Samples;
        }

        public V1.HandlerWindow ToMessage(string name, double seconds) => new()
        {
            Handler = name,
            PerSecond = (handler.Tally.EndedTotal - _ends[_next].Ended) / seconds,
            FailedPerSecond = (handler.Tally.FailedTotal - _ends[_next].Failed) / seconds,
            RunP50 = ToDuration(_runs.Quantile(0.5)),
            RunP90 = ToDuration(_runs.Quantile(0.9)),
            RunP99 = ToDuration(_runs.Quantile(0.99)),
            LatencyP50 = ToDuration(_latencies.Quantile(0.5)),
            LatencyP90 = ToDuration(_latencies.Quantile(0.9)),
            LatencyP99 = ToDuration(_latencies.Quantile(0.99)),
        };
    }
}
