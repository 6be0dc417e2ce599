using Orchestrator.Coordinator.Journal;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.TestKit;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>
/// Journal records with valid checksums but wrong content, as a later version or a memory fault may leave them: a start reads them, or
/// rejects them with a reason.
/// </summary>
public sealed class JournalRecordFuzzTests
{
    private const int Seed = 20_250_612;

    [Fact]
    public void Damaged_frames_are_refused()
    {
        var frame = new JournalRecordBuffer();
        var run = new DurableTaskRun(Seed);
        while (run.Records.Count < 10)
            run.Step();
        for (var i = 0; i < 10; i++)
            frame.Add((ulong)i + 1, Coordinator.Journal.Wire.Record.Parser.ParseFrom(run.Records[i]));
        var refused = 0;
        foreach (var bytes in Mutations.Of(Seed, frame.ToArray()))
        {
            var read = new List<byte[]>();
            var error = Record.Exception(() => JournalRecordBuffer.Read("a test", 1, bytes, (_, record) => read.Add([.. record])));
            Assert.True(error is null or JournalException, $"{Convert.ToHexString(bytes)}: {error}");
            // The records before the damage are those that were written.
            Assert.Equal(run.Records.Take(read.Count).Select(Convert.ToHexString), read.Select(Convert.ToHexString));
            refused += error is null ? 0 : 1;
        }

        Assert.True(refused > Mutations.Rounds / 2);
    }

    [Fact]
    public void Records_of_tasks_that_say_something_else_are_taken_up_or_refused()
    {
        var run = new DurableTaskRun(Seed);
        while (run.Records.Count < 40)
            run.Step();
        Check(run.Records, DurableTaskRun.Clock);
    }

    [Fact]
    public void Records_of_objects_that_say_something_else_are_taken_up_or_refused()
    {
        var run = new DurableRun(Seed);
        while (run.Records.Count < 40)
            run.Step();
        Check(run.Records, DurableRun.Clock);
    }

    private static void Check(List<byte[]> records, Coordinator.Infrastructure.MonotonicClock clock)
    {
        var random = new Random(Seed);
        var refused = 0;
        foreach (var bytes in Mutations.Of(Seed, [.. records]).Skip(records.Count))
        {
            var image = new JournalState();
            var at = random.Next(records.Count);
            var error = Record.Exception(() =>
            {
                for (var i = 0; i < records.Count; i++)
                    image.Apply((ulong)i + 1, i == at ? bytes : records[i]);
                var restorer = new JournalRestorer(image, new JournalClock(clock));
                new ObjectEngine(DurableRun.Options).Restore(restorer.ToObjects(), TimeSpan.FromSeconds(60), new ObjectEffects());
                new TaskEngine(DurableTaskRun.Options with { LastTaskId = long.MaxValue / 2 }).Restore(
                    restorer.ToTasks(), restorer.ToForgottenTasks(), TimeSpan.FromSeconds(60), new TaskEffects());
            });
            Assert.True(error is null or JournalException, $"record {at + 1} as {Convert.ToHexString(bytes)}: {error}");
            refused += error is null ? 0 : 1;
        }

        Assert.True(refused > 0);
    }
}
