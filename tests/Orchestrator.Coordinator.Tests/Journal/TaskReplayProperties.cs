using CsCheck;
using Google.Protobuf;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>
/// A journal cut at any record yields a task engine that agrees with the contract: ended tasks have ended so, tasks at a worker are lost or
/// retried, all others wait on, and each ends once.
/// </summary>
public sealed class TaskReplayProperties
{
    private const int Records = 60;

    [Fact]
    public void What_is_replayed_up_to_a_record_is_what_a_restart_owes() =>
        Gen.Select(Gen.Int, Gen.Double[0, 1]).Sample((seed, cut) => Check(seed, cut, throughSnapshot: false), iter: 300, threads: 1);

    [Fact]
    public void A_snapshot_in_between_changes_nothing() =>
        Gen.Select(Gen.Int, Gen.Double[0, 1]).Sample((seed, cut) => Check(seed, cut, throughSnapshot: true), iter: 300, threads: 1);

    private static void Check(int seed, double cut, bool throughSnapshot)
    {
        var count = 1 + (int)Math.Round(cut * Records);
        // The engine is deterministic: the run stops where the journal is cut.
        var run = new DurableTaskRun(seed);
        while (run.Records.Count < count)
            run.Step();
        var image = new JournalState();
        for (var i = 0; i < count; i++)
        {
            image.Apply((ulong)i + 1, run.Records[i]);
            if (throughSnapshot && i == count / 2)
                image = ReplayProperties.Again(image);
        }

        var times = new JournalClock(DurableTaskRun.Clock);
        var writer = new TaskChangeMapper(times, new TaskResultMapper(DurableTaskRun.Clock));
        var ended = image.Tasks.Values.Where(task => task.End is not null).Select(task => task.Accepted.TaskId).ToHashSet();
        var (next, restored) = Restore(image, times, run);
        Note(restored);
        var effects = new TaskEffects();
        var worker = DurableTaskRun.Join(next, run.Now, effects);
        Assert.Equal(run.AfterRestart(), DurableTaskRun.Digest(next));
        var written = DurableTaskRun.ToRecord(effects, writer);

        // The next run may end as soon as it has begun.
        var (third, _) = Restore(image, times, run);
        DurableTaskRun.Join(third, run.Now, new TaskEffects());
        Assert.Equal(DurableTaskRun.Digest(next), DurableTaskRun.Digest(third));
        // Queried last, since a forgotten request id is accepted anew.
        Assert.Equal(run.Requests(run.Engine, run.Now), run.Requests(third, run.Now));

        // Every task ends.
        if (written is not null)
            Apply(written);
        for (var now = run.Now; next.View.Unfinished > 0; now += TimeSpan.FromSeconds(1))
        {
            Assert.True(now < run.Now + TimeSpan.FromMinutes(10), $"{next.View.Unfinished} tasks never ended");
            var assigned = effects.Assignments.ToArray();
            effects.Clear();
            next.Apply(
                new TaskCommand.Report(worker, [.. assigned.Select(
                    item => new AttemptReport(item.Task.Id, item.Attempt, ByteString.CopyFromUtf8("late"), 4, null, 10))]), now, effects);
            next.Tick(now, effects);
            if (DurableTaskRun.ToRecord(effects, writer) is { } record)
                Apply(record);
        }

        Assert.All(image.Tasks.Values, task => Assert.NotNull(task.End));

        void Note(byte[]? record)
        {
            if (record is not null)
                Apply(record);
        }

        void Apply(byte[] record)
        {
            foreach (var change in Coordinator.Journal.Wire.Record.Parser.ParseFrom(record).Changes.Where(
                change => change.TaskEnded is not null))
                Assert.True(ended.Add(change.TaskEnded.TaskId), $"task {change.TaskEnded.TaskId} ended twice");
            image.Apply(0, record);
        }

        (TaskEngine Engine, byte[]? Changes) Restore(JournalState from, JournalClock at, DurableTaskRun of)
        {
            var engine = new TaskEngine(DurableTaskRun.Options with { LastTaskId = of.Engine.View.LastTaskId });
            var restorer = new JournalRestorer(from, at);
            var changed = new TaskEffects();
            engine.Restore(restorer.ToTasks(), restorer.ToForgottenTasks(), of.Now, changed);
            return (engine, DurableTaskRun.ToRecord(changed, writer));
        }
    }
}
