using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Services;

/// <summary>The open task streams: counted, described, and notified when the coordinator drains.</summary>
/// <param name="instance">The instance id that streams send, by which clients recognize a restarted coordinator.</param>
/// <param name="clock">Says when a stream was opened, and since when it has no credits.</param>
internal sealed class StreamRegistry(CoordinatorInstance instance, MonotonicClock clock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TaskStreamSession, OpenStream> _streams = [];
    private long _lastNumber;
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The coordinator's instance id.</summary>
    public string Instance => instance.Id;

    public int Count
    {
        get
        {
            lock (_gate)
                return _streams.Count;
        }
    }

    /// <summary>Fires when the coordinator stops reading requests.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public IDisposable Add(TaskStreamSession stream)
    {
        lock (_gate)
            _streams.Add(stream, new OpenStream(++_lastNumber, clock.Now));
        return new Registration(this, stream);
    }

    /// <summary>Looks which streams have no credits; called once a second, to which their times are exact.</summary>
    public void Look()
    {
        lock (_gate)
        {
            foreach (var (stream, open) in _streams)
                open.StalledSince = stream.IsStalled ? open.StalledSince ?? clock.Now : null;
        }
    }

    /// <summary>The open streams, the oldest first.</summary>
    public IReadOnlyList<V1.StreamFlow> Flows()
    {
        lock (_gate)
            return [.. _streams.OrderBy(item => item.Value.Number).Select(item => Describe(item.Key, item.Value))];
    }

    /// <summary>Notifies every client to submit elsewhere.</summary>
    public void NoticeDraining()
    {
        TaskStreamSession[] streams;
        lock (_gate)
            streams = [.. _streams.Keys];
        foreach (var stream in streams)
            stream.NoticeDraining();
    }

    /// <summary>Stops reading all streams.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    private V1.StreamFlow Describe(TaskStreamSession stream, OpenStream open)
    {
        var flow = stream.Describe();
        flow.Number = (ulong)open.Number;
        flow.OpenedAt = ToTimestamp(open.OpenedAt);
        if (open.StalledSince is { } since)
            flow.StalledSince = ToTimestamp(since);
        return flow;
    }

    private Timestamp ToTimestamp(TimeSpan time) => Timestamp.FromDateTimeOffset(clock.ToWallClock(time.Ticks));

    private sealed class OpenStream(long number, TimeSpan openedAt)
    {
        public long Number => number;

        public TimeSpan OpenedAt => openedAt;

        public TimeSpan? StalledSince { get; set; }
    }

    private sealed class Registration(StreamRegistry registry, TaskStreamSession stream) : IDisposable
    {
        public void Dispose()
        {
            lock (registry._gate)
                registry._streams.Remove(stream);
        }
    }
}
