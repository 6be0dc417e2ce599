using Google.Protobuf.WellKnownTypes;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>One status, shared by all watches.</summary>
internal sealed record TelemetryReport(
    Timestamp At, V1.ServiceStatus Status, IReadOnlyList<V1.Attention> Attention, IReadOnlyList<V1.SeriesPoint> Points);

/// <summary>
/// What one watcher has not read yet. Nothing is queued for one that reads slowly: it gets the newest status, the last blocks of spans, and
/// the number of messages that it has missed.
/// </summary>
internal sealed class TelemetryWatch(TelemetryFeed feed, string client, int ticks, bool wantsSpans) : IDisposable
{
    // Three seconds of blocks.
    private const int MaxBlocks = 30;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _due = new(0, 1);
    private readonly Queue<V1.SpanBlock> _blocks = new();
    private TelemetryReport? _report;
    private ulong _missedSpans;
    private ulong _missedMessages;
    private bool _isDue;

    /// <summary>The account of the watcher.</summary>
    public string Client => client;

    /// <summary>From one message to the next, in ticks of the feed.</summary>
    public int Ticks => ticks;

    public bool WantsSpans => wantsSpans;

    /// <summary>The next message, once it is due.</summary>
    public async Task<V1.WatchTelemetryResponse> NextAsync(CancellationToken cancellationToken)
    {
        await _due.WaitAsync(cancellationToken);
        lock (_gate)
        {
            var message = new V1.WatchTelemetryResponse { MissedMessages = _missedMessages, At = _report?.At };
            if (_report is { } report)
            {
                message.Status = report.Status;
                message.Attention.AddRange(report.Attention);
                message.Points.AddRange(report.Points);
            }

            message.Spans.AddRange(_blocks);
            if (_missedSpans > 0)
                message.Spans.Insert(0, new V1.SpanBlock { Missed = _missedSpans });
            _blocks.Clear();
            (_report, _missedSpans, _missedMessages, _isDue) = (null, 0, 0, false);
            return message;
        }
    }

    public void Dispose()
    {
        feed.End(this);
        _due.Dispose();
    }

    internal void Offer(V1.SpanBlock? block, TelemetryReport? report, bool isDue)
    {
        lock (_gate)
        {
            if (block is not null)
                _blocks.Enqueue(block);
            while (_blocks.Count > Math.Max(MaxBlocks, ticks))
                _missedSpans += (ulong)_blocks.Dequeue().Count.Sum(count => count);
            _report = report ?? _report;
            if (!isDue || (_report is null && _blocks.Count == 0))
                return;
            if (_isDue)
            {
                _missedMessages++;
                feed.CountMissed();
                return;
            }

            _isDue = true;
        }

        try
        {
            _due.Release();
        }
        catch (ObjectDisposedException)
        {
            // It ended meanwhile.
        }
    }
}
