using Orchestrator.Coordinator.Services;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Tests.Services;

/// <summary>
/// Part 5, 7: in any order of adds and reads, the events that a reader receives plus those reported as missed are all events.
/// </summary>
public sealed class EventBacklogTests
{
    private const int Tasks = 4;

    [Fact]
    public void What_comes_and_what_is_missing_is_all_there_was()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var random = new Random(seed);
            var memory = new MemoryBudget(long.MaxValue);
            var backlog = new EventBacklog(memory);
            var tasks = Submit();
            var counts = new EventCounts[Tasks];
            var got = new EventCounts[Tasks];
            var missed = new EventCounts[Tasks];
            var ended = new bool[Tasks];
            var told = new bool[Tasks];
            var sequence = 0L;
            // Some readers keep up, some hardly read at all; some events are so large that the byte limit applies before the count limit.
            var (taken, bytes) = (seed % 5, seed % 3 == 0 ? 100_000 : 10);
            for (var i = 0; i < 6_000; i++)
            {
                var number = random.Next(Tasks);
                if (!ended[number] && random.Next(5) >= taken)
                {
                    var kind = random.Next(3_000) == 0
                        ? TaskEventKind.Ended : (TaskEventKind)random.Next((int)TaskEventKind.Running, (int)TaskEventKind.Ended);
                    ended[number] = kind == TaskEventKind.Ended;
                    counts[number] = counts[number].With(kind);
                    backlog.Add(new TaskEventRecord(tasks[number], kind, ++sequence, 0, null, bytes) { Counts = counts[number] });
                }
                else
                {
                    Take();
                }

                Assert.InRange(memory.Used, 0, 17L << 20);
                Assert.InRange(backlog.Count, 0, EventBacklog.MaxEvents + Tasks);
            }

            for (var number = 0; number < Tasks; number++)
            {
                if (!ended[number])
                    backlog.Add(new TaskEventRecord(tasks[number], TaskEventKind.Ended, ++sequence, 0) { Counts = counts[number] });
            }

            while (backlog.Count > 0)
                Take();
            Assert.All(told, Assert.True);
            for (var number = 0; number < Tasks; number++)
                Assert.Equal(counts[number], new EventCounts(
                    got[number].Partials + missed[number].Partials, got[number].LogLines + missed[number].LogLines));
            Assert.Equal(0, memory.Used);

            void Take()
            {
                if (!backlog.TryTake(out var item, out var missing))
                    return;
                var number = Array.IndexOf(tasks, item.Task);
                Assert.False(told[number]);
                missed[number] = new EventCounts(missed[number].Partials + missing.Partials, missed[number].LogLines + missing.LogLines);
                got[number] = got[number].With(item.Kind);
                told[number] = item.Kind == TaskEventKind.Ended;
                if (told[number])
                    Assert.False(backlog.Holds(item.Task));
            }
        }
    }

    [Fact]
    public void What_is_closed_keeps_nothing()
    {
        var memory = new MemoryBudget(long.MaxValue);
        var backlog = new EventBacklog(memory);
        var task = Submit()[0];
        backlog.Add(new TaskEventRecord(task, TaskEventKind.Progress, 1, 0, null, 100));
        Assert.Equal((1, 100), (backlog.Count, memory.Used));
        backlog.Close();
        backlog.Add(new TaskEventRecord(task, TaskEventKind.Progress, 2, 0, null, 100));
        Assert.Equal((0, 0), (backlog.Count, memory.Used));
    }

    private static TaskRecord[] Submit()
    {
        var effects = new TaskEffects();
        new TaskEngine(new TaskEngineOptions()).Apply(
            new TaskCommand.Submit(
                [.. Enumerable.Range(0, Tasks).Select(i => new TaskSubmission("none", TaskPolicy.Default, null, 0, (ulong)i, ""))], null),
            TimeSpan.FromSeconds(1),
            effects);
        return [.. effects.Submitted.Select(outcome => outcome.Task!)];
    }
}
