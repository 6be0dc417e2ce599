using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Events live and replayed: the same events, in the order of their sequence.</summary>
public sealed class WatchTests
{
    private static readonly RetryRule Once = new(2, TimeSpan.Zero, 1, TimeSpan.Zero, RetryWorkerLost: false);

    private readonly EngineHarness _harness = new();

    private sealed class Watcher : TaskWatcher;

    private void Tell(Core.TaskModel.WorkerNode worker, TaskRecord task, TaskEventKind kind, string content) =>
        _harness.Apply(
            new TaskCommand.Report(worker, []) { Updates = [new AttemptUpdate(task.Id, task.Attempt, kind, content, content.Length)] });

    private WatchStart Watch(TaskWatcher watcher, long after, params long[] tasks)
    {
        _harness.Apply(new TaskCommand.Watch(watcher, tasks, after));
        return _harness.Effects.WatchStarted!;
    }

    private List<TaskEventRecord> Replay(long after, params TaskRecord[] tasks)
    {
        var start = Watch(new Watcher(), after, [.. tasks.Select(task => task.Id)]);
        Assert.Empty(start.UnknownIds);
        return [.. start.Past];
    }

    [Fact]
    public void A_watcher_sees_each_event_as_it_happens()
    {
        var live = new List<TaskEventRecord>();
        var watcher = new Watcher();
        var task = _harness.Submit("cpu", TaskPolicy.Default with { Retry = Once });
        live.AddRange(Watch(watcher, 0, task.Id).Past);
        var worker = _harness.Join("w#1");
        Collect();
        Tell(worker, task, TaskEventKind.Progress, "half");
        Collect();
        _harness.ReportThrow(worker, task);
        Collect();
        _harness.Advance(TimeSpan.Zero);
        Collect();
        Tell(worker, task, TaskEventKind.PartialOutput, "piece");
        Collect();
        _harness.Report(worker, task);
        Collect();
        Assert.Equal(
            [
                TaskEventKind.Queued, TaskEventKind.Running, TaskEventKind.Progress, TaskEventKind.Queued, TaskEventKind.Running,
                TaskEventKind.PartialOutput, TaskEventKind.Ended,
            ],
            live.Select(item => item.Kind));
        // A later watcher sees the same events.
        Assert.Equal(live.Select(item => (item.Kind, item.Sequence, item.Content)), Replay(0, task).Select(
            item => (item.Kind, item.Sequence, item.Content)));
        var middle = live[3].Sequence;
        Assert.Equal(
            live.Where(item => item.Sequence > middle).Select(item => item.Sequence), Replay(middle, task).Select(item => item.Sequence));
        Assert.Equal("half", task.Progress);

        void Collect()
        {
            Assert.All(_harness.Effects.Notifications, notification => Assert.Same(watcher, notification.Watcher));
            live.AddRange(_harness.Effects.Notifications.Select(notification => notification.Event));
        }
    }

    [Fact]
    public void Replayed_events_of_several_tasks_are_in_the_order_of_their_sequence()
    {
        var worker = _harness.Join("w#1");
        var (first, second) = (_harness.Submit("io"), _harness.Submit("io"));
        Tell(worker, second, TaskEventKind.Log, "line");
        _harness.Report(worker, second);
        _harness.Report(worker, first);
        var events = Replay(0, first, second);
        Assert.Equal(events.Select(item => item.Sequence).Order(), events.Select(item => item.Sequence));
        Assert.Equal(7, events.Count);
        Assert.Equal(first, events[^1].Task);
        Assert.Equal(_harness.View.LastSequence, events[^1].Sequence);
    }

    [Fact]
    public void Unknown_tasks_are_named()
    {
        var start = Watch(new Watcher(), 0, 5, 6);
        Assert.Empty(start.Past);
        Assert.Equal([5, 6], start.UnknownIds);
    }

    [Fact]
    public void One_who_wants_ends_only_gets_nothing_else()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        Watch(new Watcher { EndsOnly = true }, _harness.View.LastSequence, task.Id);
        Tell(worker, task, TaskEventKind.Progress, "half");
        Assert.Empty(_harness.Effects.Notifications);
        _harness.Report(worker, task);
        Assert.Equal(TaskEventKind.Ended, Assert.Single(_harness.Effects.Notifications).Event.Kind);
    }

    /// <summary>Part 5, 7: a watcher that comes late, or resumes, learns how many events are no longer kept.</summary>
    [Fact]
    public void What_is_no_longer_kept_is_counted()
    {
        const int Partials = 2_500;
        var worker = _harness.Join("w#1");
        var (task, other) = (_harness.Submit("io"), _harness.Submit("io"));
        Tell(worker, task, TaskEventKind.Log, "line");
        var sequences = new List<long>();
        for (var i = 0; i < Partials; i++)
        {
            Tell(worker, task, TaskEventKind.PartialOutput, "piece");
            sequences.Add(_harness.View.LastSequence);
            // Events of another task between them, now and then.
            if (i % 7 == 0)
                Tell(worker, other, TaskEventKind.Progress, "more");
        }

        _harness.Report(worker, task);
        foreach (var seen in (int[])[0, 1, 8, 700, 1_499, 1_500, 2_000, Partials])
        {
            var start = Watch(new Watcher(), seen == 0 ? 0 : sequences[seen - 1], task.Id);
            Assert.Equal(new EventCounts(seen, seen == 0 ? 0 : 1), start.Had[task.Id]);
            Assert.Equal(task.HasEnded ? 0 : 1, start.Unfinished);
            var past = start.Past;
            var kept = past.Where(item => item.Kind == TaskEventKind.PartialOutput).ToArray();
            Assert.Equal(Math.Min(1_000, Partials - seen), kept.Length);
            Assert.Equal(Enumerable.Range(Partials - kept.Length + 1, kept.Length), kept.Select(item => (int)item.Counts.Partials));
            Assert.Equal(new EventCounts(Partials, 1), past[^1].Counts);
        }
    }

    /// <summary>Part 5, 7: whatever the sequences, the reported number of missing events is never too low.</summary>
    [Fact]
    public void Forgotten_events_are_never_taken_for_seen()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var random = new Random(seed);
            var forgotten = new ForgottenEvents();
            var all = new List<long>();
            var sequence = 0L;
            for (var i = 0; i < 2_000; i++)
            {
                sequence += random.Next(10) < seed % 5 ? random.Next(2, 9) : 1;
                forgotten.Add(sequence);
                all.Add(sequence);
            }

            Assert.True(forgotten.Bytes <= 256 * 24);
            Assert.Equal(all.Count, forgotten.CountUpTo(sequence));
            for (var at = 0L; at <= sequence; at += random.Next(1, 40))
                Assert.InRange(forgotten.CountUpTo(at), 0, all.Count(item => item <= at));
            if (seed % 5 == 0)
                Assert.Equal(1_000, forgotten.CountUpTo(1_000));
        }
    }

    [Fact]
    public void Who_no_longer_watches_is_told_nothing()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("cpu");
        var (stays, leaves) = (new Watcher(), new Watcher());
        Watch(stays, 0, task.Id);
        Watch(leaves, 0, task.Id);
        _harness.Apply(new TaskCommand.Unwatch(leaves, [task.Id]));
        _harness.Report(worker, task);
        Assert.Same(stays, Assert.Single(_harness.Effects.Notifications).Watcher);
    }

    [Fact]
    public void Owners_get_news_only_where_they_want_it()
    {
        var worker = _harness.Join("w#1");
        var curious = new RecordingOwner { WantsEvents = true };
        var (loud, quiet) = (_harness.Submit("io", owner: curious), _harness.Submit("io", owner: new RecordingOwner()));
        Tell(worker, quiet, TaskEventKind.Log, "unheard");
        Assert.Empty(_harness.Effects.Notifications);
        Tell(worker, loud, TaskEventKind.Log, "heard");
        Assert.Same(curious, Assert.Single(_harness.Effects.Notifications).Owner);
    }

    [Fact]
    public void News_arrives_before_the_result_of_the_same_message()
    {
        var worker = _harness.Join("w#1");
        var owner = new RecordingOwner { WantsEvents = true };
        var task = _harness.Submit("io", owner: owner);
        _harness.Apply(new TaskCommand.Report(worker, [new AttemptReport(task.Id, 1, "o", 1, null, 1)])
        {
            Updates = [new AttemptUpdate(task.Id, 1, TaskEventKind.PartialOutput, "last piece", 10)],
        });
        Assert.Single(_harness.Effects.Notifications);
        Assert.Single(_harness.Effects.Deliveries);
        Assert.True(_harness.Effects.Notifications[0].Event.Sequence < task.EndedSequence);
    }

    [Fact]
    public void The_history_of_a_chatty_task_is_bounded_and_keeps_the_newest()
    {
        var worker = _harness.Join("w#1");
        var task = _harness.Submit("io");
        for (var i = 0; i < 1_500; i++)
            Tell(worker, task, TaskEventKind.Log, $"{i}");
        var logs = Replay(0, task).Where(item => item.Kind == TaskEventKind.Log).ToArray();
        Assert.Equal(1_000, logs.Length);
        Assert.Equal(("500", "1499"), (logs[0].Content, logs[^1].Content));
    }
}
