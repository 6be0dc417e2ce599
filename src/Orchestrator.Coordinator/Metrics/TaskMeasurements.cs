using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Telemetry;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>The tasks of each handler, and those of all that are seldom used as one.</summary>
internal sealed class TaskMeasurements(TaskEngineHost host, MonotonicClock clock) : IMeasurementSource
{
    public void Write(IMeasurements to)
    {
        // Copied under the lock, and written after it.
        var (handlers, ages, cancelled, shed, draining) = host.Read(view => (
            HandlersOf(view),
            Enum.GetValues<WorkKind>().Select(kind => (kind, view.OldestReadyOf(kind))).ToArray(),
            view.Cancelled.ToArray(),
            view.ShedByLimit.ToArray(),
            view.IsDraining));
        foreach (var handler in handlers)
            handler.Write(to);
        foreach (var (kind, oldest) in ages)
        {
            var age = oldest is { } since ? Math.Max(0, clock.Now.Ticks - since) : 0;
            to.Add(Instruments.TaskQueueAge, TimeSpan.FromTicks(age).TotalSeconds, EnumTags.Of(kind));
        }

        for (var rung = 1; rung < cancelled.Length; rung++)
            to.Add(Instruments.TaskCancelRung, cancelled[rung], EnumTags.Of((CancelRung)rung));
        foreach (var (limit, count) in shed)
            to.Add(Instruments.TaskShed, count, limit);
        to.Add(Instruments.Draining, draining ? 1 : 0);
    }

    private static List<HandlerMeasurement> HandlersOf(TaskEngineView view)
    {
        var used = Enum.GetValues<PlacementPolicy>()
            .SelectMany(placement => view.HandlersOf(placement).Select(handler => (placement, handler)))
            .Where(item => item.handler.Tally.Accepted > 0)
            .OrderByDescending(item => item.handler.Tally.Accepted)
            .ToArray();
        var measured = used.Take(HistoryRecorder.MaxNames).Select(
            item => new HandlerMeasurement(StatusReporter.NameOf(item.handler, item.placement), [item.handler])).ToList();
        if (used.Length > HistoryRecorder.MaxNames)
            measured.Add(new HandlerMeasurement(Instruments.Others, [.. used.Skip(HistoryRecorder.MaxNames).Select(item => item.handler)]));
        return measured;
    }

    /// <summary>A copy of the numbers of one handler, or the sums over several.</summary>
    private sealed class HandlerMeasurement(string name, HandlerProfile[] handlers)
    {
        private readonly long _accepted = handlers.Sum(handler => handler.Tally.Accepted);
        private readonly long _queued = handlers.Sum(handler => handler.Tally.Queued);

        private readonly (WorkKind Kind, long Running)[] _running =
            [.. handlers.GroupBy(handler => handler.Kind).Select(group => (group.Key, group.Sum(handler => handler.Tally.Running)))];

        private readonly (string Outcome, long Count)[] _attempts =
        [
            ("ended", handlers.Sum(handler => handler.Tally.LastAttempts)),
            ("retried", handlers.Sum(handler => handler.Tally.Retried)),
            ("returned", handlers.Sum(handler => handler.Tally.Returned)),
        ];

        private readonly ((TaskState State, FailureReason Reason) How, long Count)[] _ends =
        [
            .. handlers.SelectMany(handler => handler.Tally.Ends).GroupBy(end => (end.State, end.Reason)).Select(
                group => (group.Key, group.Sum(end => end.Count))),
        ];

        private readonly (Instrument Instrument, long[] Buckets)[] _times =
        [
            (Instruments.TaskDuration, Sum(handlers.Select(handler => handler.Latencies))),
            (Instruments.TaskQueueDuration, Sum(handlers.Select(handler => handler.QueueTimes))),
            (Instruments.TaskRunDuration, Sum(handlers.Select(handler => handler.RunTimes))),
        ];

        public void Write(IMeasurements to)
        {
            to.Add(Instruments.TaskAccepted, _accepted, name);
            to.Add(Instruments.TaskQueued, _queued, name);
            foreach (var (kind, running) in _running)
                to.Add(Instruments.TaskRunning, running, name, EnumTags.Of(kind));
            foreach (var (outcome, count) in _attempts)
                to.Add(Instruments.TaskAttempts, count, name, outcome);
            foreach (var (how, count) in _ends)
                to.Add(Instruments.TaskEnded, count, name, EnumTags.Of(how.State), EnumTags.Of(how.Reason));
            foreach (var (instrument, buckets) in _times)
                to.Add(instrument, buckets, name);
        }

        private static long[] Sum(IEnumerable<DurationHistogram> histograms)
        {
            var sum = new long[DurationHistogram.BucketCount];
            foreach (var histogram in histograms)
            {
                for (var i = 0; i < sum.Length; i++)
                    sum[i] += histogram.Buckets[i];
            }

            return sum;
        }
    }
}
