using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Spans;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// What live views show, computed once for all of them. While nobody watches, nothing runs, and no spans are recorded.
/// </summary>
internal sealed partial class TelemetryFeed(
    TaskEngineHost host, StatusReporter status, AttentionFinder attention, SeriesStore series, MonotonicClock clock,
    ILogger<TelemetryFeed> logger)
{
    /// <summary>From one block of spans to the next.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    /// <summary>From one status to the next, in ticks: a task that runs is seen within half a second.</summary>
    private const int TicksPerStatus = 4;

    // What a page can draw in a frame; of more the folding makes fewer.
    private const int MaxSpans = 8_192;
    private const int ManySpans = MaxSpans / 2;
    private const int FewSpans = MaxSpans / 16;
    private const int MaxWatches = 64;
    private const int MaxWatchesPerClient = 8;
    private static readonly TimeSpan MaxFoldWidth = TimeSpan.FromMilliseconds(64);

    private readonly Lock _gate = new();
    private readonly List<TelemetryWatch> _watches = [];
    private readonly AttemptSpan[] _spans = new AttemptSpan[MaxSpans];
    private bool _isRunning;
    private long _position;
    private int _toldLane;
    private int _toldHandler;
    private long _missed;

    /// <summary>How many watch.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _watches.Count;
        }
    }

    /// <summary>Messages that a watcher was too slow for.</summary>
    public long Missed => Interlocked.Read(ref _missed);

    /// <summary>Begins to watch; the first message comes at once.</summary>
    /// <param name="client">The account of the watcher.</param>
    /// <param name="interval">From one message to the next, at least.</param>
    /// <param name="spans">Whether it wants spans.</param>
    /// <exception cref="Grpc.Core.RpcException">LIMIT_EXCEEDED: too many watch.</exception>
    public TelemetryWatch Watch(string client, TimeSpan interval, bool spans)
    {
        var watch = new TelemetryWatch(this, client, Math.Max(1, (int)Math.Round(interval / Tick)), spans);
        var report = Status();
        lock (_gate)
        {
            if (_watches.Count >= MaxWatches || _watches.Count(other => other.Client == client) >= MaxWatchesPerClient)
            {
                throw RpcErrors.Create(
                    V1.ErrorReason.LimitExceeded,
                    $"{_watches.Count} watch the telemetry, {_watches.Count(other => other.Client == client)} of them for {client}; " +
                    $"{MaxWatches} may, and {MaxWatchesPerClient} for one client");
            }

            watch.Offer(host.Read(view => NamesOf(view.Spans.Names, 0, 0)), report, isDue: true);
            _watches.Add(watch);
            SwitchSpansLocked();
            if (!_isRunning)
            {
                _isRunning = true;
                _ = RunAsync();
            }
        }

        return watch;
    }

    internal void CountMissed() => Interlocked.Increment(ref _missed);

    internal void End(TelemetryWatch watch)
    {
        lock (_gate)
        {
            if (_watches.Remove(watch))
                SwitchSpansLocked();
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Tick, clock.Provider);
        for (var tick = 1; await timer.WaitForNextTickAsync(); tick++)
        {
            bool wantSpans;
            lock (_gate)
            {
                if (_watches.Count == 0)
                {
                    _isRunning = false;
                    return;
                }

                wantSpans = _watches.Exists(watch => watch.WantsSpans);
            }

            try
            {
                Send(wantSpans, tick);
            }
            catch (Exception exception)
            {
                // The next one may succeed, and nothing else depends on this one.
                LogFailed(exception);
            }
        }
    }

    private void Send(bool wantSpans, int tick)
    {
        var block = wantSpans ? ReadBlock() : null;
        var report = tick % TicksPerStatus == 0 ? Status() : null;
        // After the block was read: a watch that begins later has been given its names at the beginning.
        TelemetryWatch[] watches;
        lock (_gate)
            watches = [.. _watches];
        foreach (var watch in watches)
            watch.Offer(watch.WantsSpans ? block : null, report, tick % watch.Ticks == 0);
    }

    private TelemetryReport Status() => new(
        Timestamp.FromDateTimeOffset(clock.ToWallClock(clock.Now.Ticks)),
        status.Report(),
        attention.Current,
        [.. series.Newest(static name => !name.Contains('/', StringComparison.Ordinal)).Select(
            point => new V1.SeriesPoint { Series = point.Name, Value = point.Value })]);

    private V1.SpanBlock? ReadBlock()
    {
        var (count, missed, names) = host.Read(view =>
        {
            var log = view.Spans.Log;
            var read = log.Read(ref _position, _spans, out var lost);
            if (read > ManySpans && log.FoldWidth < MaxFoldWidth)
                log.FoldWidth *= 2;
            else if (read < FewSpans && log.FoldWidth > SpanLog.MinFoldWidth)
                log.FoldWidth /= 2;
            return (read, lost, NamesOf(view.Spans.Names, _toldLane, _toldHandler));
        });
        if (count == 0 && missed == 0 && names.Lanes.Count + names.Handlers.Count == 0)
            return null;
        var block = SpanMapper.ToBlock(_spans.AsSpan(0, count), clock);
        block.Missed = (ulong)missed;
        block.Lanes.AddRange(names.Lanes);
        block.Handlers.AddRange(names.Handlers);
        _toldLane = Math.Max(_toldLane, names.Lanes.Count == 0 ? 0 : (int)names.Lanes[^1].Number);
        _toldHandler = Math.Max(_toldHandler, names.Handlers.Count == 0 ? 0 : (int)names.Handlers[^1].Number);
        return block;
    }

    private static V1.SpanBlock NamesOf(SpanNames names, int afterLane, int afterHandler)
    {
        var block = new V1.SpanBlock();
        for (var lane = afterLane + 1; lane <= names.LastLane; lane++)
        {
            if (names.FindLane(lane) is { } known)
                block.Lanes.Add(SpanMapper.ToMessage(known));
        }

        for (var handler = afterHandler + 1; handler <= names.LastHandler; handler++)
            block.Handlers.Add(SpanMapper.ToMessage(handler, names));
        return block;
    }

    private void SwitchSpansLocked()
    {
        System.Diagnostics.Debug.Assert(_gate.IsHeldByCurrentThread);
        var on = _watches.Exists(watch => watch.WantsSpans);
        host.Read(view =>
        {
            if (on && !view.Spans.Log.IsOn)
                _position = view.Spans.Log.Head;
            view.Spans.Log.Switch(on);
            return 0;
        });
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a message of the telemetry could not be made")]
    private partial void LogFailed(Exception exception);
}
