using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

// What must hold at any time.
internal sealed partial class SimulatedWorld
{
    /// <summary>A task ends once: a second end would give it a second event sequence.</summary>
    private void CheckEnds()
    {
        foreach (var task in _accepted)
        {
            if (task.HasEnded && !_ends.TryAdd(task.Id, task.EndedSequence))
                Assert.Equal(_ends[task.Id], task.EndedSequence);
        }
    }

    /// <summary>
    /// First come, first served: when a task is assigned, no older task of the same lane, priority and key that the same workers can run is
    /// still ready; and a task goes only to a worker that has its handler.
    /// </summary>
    private void CheckOrder()
    {
        foreach (var assignment in _effects.Assignments)
        {
            var task = assignment.Task;
            Assert.Contains(task.Handler.Name, HandlersOf[assignment.Worker.Description.Group]);
            foreach (var other in _accepted)
            {
                var overtaken = other.Phase == TaskPhase.Ready
                    && other.Id < task.Id
                    // A permit that came in this step, or that another task did not use, may have made the other task ready after this
                    // assignment.
                    && (!other.Has(TaskFlags.HoldsRatePermit) || _heldPermits.Contains(other))
                    && other.Handler.Kind == task.Handler.Kind
                    && other.Handler.Route == task.Handler.Route
                    && other.Policy.Priority == task.Policy.Priority
                    && other.Policy.FairnessKey == task.Policy.FairnessKey
                    && task.Policy.AffinityKey.Length == 0;
                Assert.False(overtaken, $"task {task.Id} overtook {other.Id}");
            }
        }
    }

    /// <summary>Every attempt whose code ran is in one span, with its outcome; nothing else is.</summary>
    private void CheckSpans()
    {
        var spans = Engine.View.Spans.Log.ReadPeriod(TimeSpan.Zero, TimeSpan.MaxValue).ToLookup(span => span.TaskId);
        foreach (var task in _accepted)
        {
            // A worker may be asked to cancel an attempt that counts as started before it has started it.
            var earlier = task.EarlierAttempts.Where(
                attempt => attempt.StartedAt != 0 && attempt.Failure.Rung != CancelRung.BeforeStart).ToArray();
            var last = task.StartedAt != 0 && task.Failure?.Rung != CancelRung.BeforeStart ? 1 : 0;
            var found = spans[task.Id].ToArray();
            Assert.True(
                found.Length == earlier.Length + last,
                $"task {task.Id} has {found.Length} spans and {earlier.Length} + {last} attempts ({task.Failure?.Message})");
            Assert.Equal(earlier.Length, found.Count(span => span.IsRetried));
            Assert.All(found, span => Assert.Equal(1, span.Count));
            if (last == 1)
                Assert.Equal((int)task.State - 2, (int)found.Single(span => !span.IsRetried).Outcome);
        }
    }

    private void CheckInvariants()
    {
        var live = _accepted.Where(task => !task.HasEnded).ToArray();
        Assert.Equal(live.Length, Engine.View.Unfinished);
        Assert.Equal(_accepted.Count, Engine.View.Tally.Accepted);
        Assert.Equal(Engine.View.Tally.Accepted, Engine.View.Tally.Queued + Engine.View.Tally.Running + Engine.View.Tally.EndedTotal);
        Assert.All(_accepted, task => Assert.Equal(task.State != TaskState.Queued, Engine.View.WhyWaiting(task).Length == 0));
        Assert.Equal(live.Count(task => task.State == TaskState.Running), Engine.View.Tally.Running);
        Assert.Equal(live.Count(task => task.State == TaskState.Queued), Engine.View.Tally.Queued);
        // Nothing waits for a group that has been given up.
        Assert.DoesNotContain(live, task => task.Phase is TaskPhase.Ready or TaskPhase.AwaitingConcurrency or TaskPhase.AwaitingStartRate
            && task.Handler.Groups.All(_givenUp.Contains));
        if (_givenUp.Count == (_twoGroups ? Groups.Length : 1))
            Assert.DoesNotContain(live, task => task.Phase is TaskPhase.Unresolved);
        Assert.Equal(
            Engine.View.NewestBefore(long.MaxValue).Where(task => task.State == TaskState.Running),
            Engine.View.RunningBefore(long.MaxValue));
        Assert.True(
            live.Count(task => task.Policy.ConcurrencyKey.Length > 0 && task.Phase == TaskPhase.Assigned) <= 2, "concurrency limit passed");
        // Each start took one permit, and at most one unused permit is held per limiter.
        var unused = live.Count(task => task.Has(TaskFlags.HoldsRatePermit));
        Assert.Equal(_granted, _rateLimitedStarts + unused);
        Assert.True(unused <= live.Where(task => task.Has(TaskFlags.HoldsRatePermit)).Select(task => task.SideData!.PermitQueue).Distinct()
            .Count(), "permits were saved up");
        Assert.Equal(_asked.Count, _asked.Distinct().Count());
        foreach (var worker in Workers)
        {
            var lanes = worker.View.Lanes;
            Assert.True(lanes[0].Waiting <= 1 || lanes[0].BacklogTicks <= TimeSpan.FromMilliseconds(60).Ticks, "credits passed");
            Assert.Equal(0, lanes[1].Waiting);
            Assert.Equal(0, lanes[2].Waiting);
            foreach (var lane in lanes)
                Assert.True(lane.Running <= lane.Slots);
            Assert.Equal(live.Count(task => task.Phase == TaskPhase.Pinned), Engine.View.PinnedCount(worker.View.Description.Placement));
            Assert.Equal(worker.View.Outstanding, live.Count(task => task.Worker == worker.View && task.Phase == TaskPhase.Assigned));
        }
    }
}
