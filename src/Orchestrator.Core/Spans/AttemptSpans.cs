using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Spans;

/// <summary>When attempts ran: each as a span while a client watches, and always as shares of the lanes' time.</summary>
public sealed class AttemptSpans
{
    internal AttemptSpans()
    {
    }

    /// <summary>The numbers of lanes and handlers.</summary>
    public SpanNames Names { get; } = new();

    /// <summary>The last attempts, while it is on.</summary>
    public SpanLog Log { get; } = new();

    /// <summary>The last 15 minutes of the lanes.</summary>
    public LaneHistory History { get; } = new();

    /// <summary>Adds an attempt that has left its worker.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="task">The task.</param>
    /// <param name="end">When the attempt ended, in ticks.</param>
    /// <param name="runTicks">
    /// How long it ran by its worker's clock. That clock goes on while the coordinator is stopped and the engine's does not, so an attempt
    /// may have run for longer than the engine: what would lie before the engine's first moment is left out.
    /// </param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="isRetried">Whether another attempt follows.</param>
    internal void Record(WorkerNode worker, TaskRecord task, long end, long runTicks, AttemptOutcome outcome, bool isRetried)
    {
        var tracks = Names.TracksOf(worker);
        var track = tracks[tracks.Length == 1 ? 0 : (int)task.Handler.Kind];
        var handler = Names.NumberOf(task.Handler);
        end = Math.Max(0, end);
        var start = Math.Max(0, end - runTicks);
        History.Record(track, handler, start, end);
        if (Log.IsOn)
            Log.Record(track, new AttemptSpan(start, end - start, end - start, task.Id, 1, track.Lane, handler, outcome, isRetried));
    }
}
