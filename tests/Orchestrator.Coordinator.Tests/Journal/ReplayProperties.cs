using CsCheck;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>
/// A journal cut at any record yields an engine with the first one's state at that record, after the end of all sessions, like a restart.
/// </summary>
public sealed class ReplayProperties
{
    private const int Steps = 120;

    [Fact]
    public void What_is_replayed_up_to_a_record_is_what_the_engine_was_then() =>
        Gen.Select(Gen.Int, Gen.Double[0, 1]).Sample(
            (seed, cut) => Check(seed, cut, throughSnapshot: false), iter: 400, threads: 1);

    [Fact]
    public void A_snapshot_in_between_changes_nothing() =>
        Gen.Select(Gen.Int, Gen.Double[0, 1]).Sample(
            (seed, cut) => Check(seed, cut, throughSnapshot: true), iter: 400, threads: 1);

    private static void Check(int seed, double cut, bool throughSnapshot)
    {
        var whole = new DurableRun(seed);
        while (whole.Steps < Steps)
            whole.Step();
        Assert.NotEmpty(whole.Records);
        // The first records create the queues.
        var count = 3 + (int)Math.Round(cut * (whole.Records.Count - 3));
        // The same run up to that record, since the engine is deterministic.
        var expected = new DurableRun(seed) { Limit = count };
        while (expected.Records.Count < count)
            expected.Step();
        Assert.Equal(count, expected.Records.Count);
        expected.EndSessions();

        var times = new JournalClock(DurableRun.Clock);
        var image = new JournalState();
        for (var i = 0; i < count; i++)
        {
            image.Apply((ulong)i + 1, whole.Records[i]);
            if (throughSnapshot && i == count / 2)
                image = Again(image);
        }

        var restored = new ObjectEngine(DurableRun.Options);
        restored.Restore(new JournalRestorer(image, times).ToObjects(), expected.Now, new ObjectEffects());
        Assert.Equal(expected.Digest(), expected.Digest(restored));
    }

    /// <summary>Through the records of a snapshot, and their bytes.</summary>
    internal static JournalState Again(JournalState image)
    {
        var frame = new JournalRecordBuffer();
        var position = 1ul;
        foreach (var record in image.ToRecords())
            frame.Add(position++, record);
        var again = new JournalState();
        JournalRecordBuffer.Read("a snapshot", 1, frame.ToArray(), again.Apply);
        return again;
    }
}
