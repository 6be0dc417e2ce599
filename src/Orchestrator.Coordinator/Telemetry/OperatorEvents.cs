using System.Threading.Channels;
using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>Something that an operator asks about afterwards: restarts, drains, condemned workers.</summary>
/// <param name="Sequence">Grows over all events of this coordinator.</param>
/// <param name="At">When.</param>
/// <param name="Kind">A stable word such as <c>worker.ready</c>.</param>
/// <param name="Subject">Whom it concerns, such as <c>worker-1#3</c>.</param>
/// <param name="Message">What happened, for people.</param>
internal sealed record OperatorEvent(long Sequence, DateTimeOffset At, string Kind, string Subject, string Message);

/// <summary>The last events, and those who watch for new ones.</summary>
internal sealed class OperatorEvents(MonotonicClock clock)
{
    private const int Kept = 10_000;
    private const int WatcherBuffer = 1_000;

    private readonly Lock _gate = new();
    private readonly Queue<OperatorEvent> _events = new();
    private readonly List<Channel<OperatorEvent>> _watchers = [];
    private long _sequence;

    public void Add(string kind, string subject, string message)
    {
        lock (_gate)
        {
            var item = new OperatorEvent(++_sequence, clock.ToWallClock(clock.Now.Ticks), kind, subject, message);
            _events.Enqueue(item);
            if (_events.Count > Kept)
                _events.Dequeue();
            foreach (var watcher in _watchers)
            {
                // A watcher that does not read is cut; it can resume after the last sequence that it has seen.
                if (!watcher.Writer.TryWrite(item))
                    watcher.Writer.TryComplete(new SlowWatcherException());
            }
        }
    }

    /// <summary>Events after a sequence, then new ones as they come.</summary>
    /// <exception cref="SlowWatcherException">The caller did not keep up.</exception>
    public async IAsyncEnumerable<OperatorEvent> WatchAsync(
        long afterSequence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<OperatorEvent>(new BoundedChannelOptions(WatcherBuffer) { SingleReader = true });
        OperatorEvent[] past;
        lock (_gate)
        {
            past = [.. _events.Where(item => item.Sequence > afterSequence)];
            _watchers.Add(channel);
        }

        try
        {
            foreach (var item in past)
                yield return item;
            await foreach (var item in channel.Reader.ReadAllAsync(cancellationToken))
                yield return item;
        }
        finally
        {
            lock (_gate)
                _watchers.Remove(channel);
        }
    }
}

/// <summary>A watcher was cut because it did not read.</summary>
internal sealed class SlowWatcherException() : Exception("the watcher did not keep up with the events; resume after the last sequence that you have seen");
