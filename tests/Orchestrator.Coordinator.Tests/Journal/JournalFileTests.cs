using Orchestrator.Client.Contract;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Core.Common;
using Change = Orchestrator.Coordinator.Journal.Wire.Change;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>
/// F19: a truncated or damaged journal yields its records up to some point, or is rejected with a reason. It never yields other records,
/// and never omits some.
/// </summary>
public sealed class JournalFileTests : IDisposable
{
    private const int Records = 40;

    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("journal.db", true, false)]
    [InlineData("journal.db", false, false)]
    [InlineData("journal.db-wal", true, false)]
    [InlineData("journal.db-wal", false, false)]
    [InlineData("journal.db-wal", true, true)]
    [InlineData("journal.db-wal", false, true)]
    public void A_damaged_file_gives_a_prefix_or_a_refusal(string file, bool cut, bool isAnotherBoot)
    {
        var source = Path.Combine(_directory, "whole");
        WriteWhole(source);
        if (isAnotherBoot)
            ForgetWrittenMark(source);
        var bytes = File.ReadAllBytes(Path.Combine(source, file));
        Assert.NotEmpty(bytes);
        // An odd step hits every part of a page and of a frame's header in turn.
        var step = Math.Max(1, bytes.Length / (isAnotherBoot ? 150 : 350)) | 1;
        var (refused, prefixes) = (0, 0);
        for (var at = 0; at < bytes.Length; at += step)
        {
            var damaged = Path.Combine(_directory, "damaged");
            Copy(source, damaged);
            var broken = (byte[])bytes.Clone();
            if (cut)
                Array.Resize(ref broken, at);
            else
                broken[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(Path.Combine(damaged, file), broken);
            if (ReadNames(damaged) is { } names)
            {
                prefixes++;
                Assert.Equal(Enumerable.Range(0, names.Count).Select(Name), names);
            }
            else
            {
                refused++;
            }

            Directory.Delete(damaged, recursive: true);
        }

        TestContext.Current.SendDiagnosticMessage($"{file}: {bytes.Length} bytes, {refused} refused, {prefixes} prefixes");
        Assert.True(refused + prefixes > (isAnotherBoot ? 100 : 300));
        // The database itself reports its damage. Its log does so too, unless the machine rebooted after writes that were never flushed.
        if (file == "journal.db")
            Assert.True(refused > 0);
        else
            Assert.Equal((0, refused + prefixes), isAnotherBoot ? (refused, refused + prefixes) : (prefixes, refused + prefixes));
    }

    [Fact]
    public void An_empty_file_is_a_lost_journal_and_not_a_new_one()
    {
        File.WriteAllBytes(Path.Combine(_directory, "journal.db"), []);
        var error = Assert.Throws<JournalException>(() => Open(_directory));
        Assert.Contains("empty", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_something_else_is_refused_by_name()
    {
        File.WriteAllText(Path.Combine(_directory, "journal.db"), new string('x', 9_000));
        var error = Assert.Throws<JournalException>(() => Open(_directory));
        Assert.Contains("journal.db", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_coordinator_is_refused()
    {
        using var first = Open(_directory);
        var error = Assert.Throws<JournalException>(() => Open(_directory));
        Assert.Contains("another coordinator", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_holds_what_its_records_came_to()
    {
        WriteWhole(_directory);
        var before = JournalTool.Verify(_directory);
        Assert.Equal((1, Records), (before.Queues, before.Items));
        JournalTool.Compact(_directory);
        var after = JournalTool.Verify(_directory);
        Assert.Equal((before.LastPosition, 0, before.Items), (after.LastPosition, after.Records, after.Items));
        Assert.True(after.SnapshotBytes > 0);
        Assert.Equal(Enumerable.Range(0, Records).Select(Name), ReadNames(_directory));
        var lines = new List<string>();
        JournalTool.Dump(_directory, lines.Add);
        Assert.Contains(lines, line => line.Contains("queueCreated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Snapshots_are_made_beside_the_writer_and_lose_nothing()
    {
        var written = 0;
        using (var journal = ChangeJournal.Open(
            _directory, new JournalOptions { SnapshotAfterBytes = 2_000 }, new MonotonicClock(TimeProvider.System)))
        {
            // Until the second snapshot is in force, so that one has replaced another while records arrived.
            while (JournalTool.Verify(_directory) is var report && (report.SnapshotBytes == 0 || report.Items < 4 * Records))
            {
                journal.Append(new RecordEntry(RecordOf(written++)));
                Assert.Null(await journal.WrittenAsync());
            }
        }

        Assert.Equal(Enumerable.Range(0, written).Select(Name), ReadNames(_directory));
        Assert.True(JournalTool.Verify(_directory).Records < written);
    }

    [Fact]
    public void Ids_are_never_given_twice()
    {
        ulong first;
        using (var journal = Open(_directory))
        {
            first = journal.FirstIds.TaskId;
            // A clean end records the used ids; without it, as after a kill, all reserved ids count as used.
            journal.UsedIds = () => new JournalIds(7, 8, 9);
        }

        Assert.Equal(0ul, first);
        using (var journal = Open(_directory))
            Assert.Equal(new JournalIds(7, 8, 9), journal.FirstIds);
        using (var journal = Open(_directory))
            Assert.True(journal.FirstIds.TaskId > 1_000_000);
    }

    /// <summary>A queue, then one item per record; half of them in the database, half only in its log.</summary>
    private static void WriteWhole(string directory)
    {
        Directory.CreateDirectory(directory);
        using (var database = JournalDatabase.Open(Path.Combine(directory, "journal.db")))
        {
            for (var i = 0; i < Records; i++)
            {
                Commit(database, i);
                if (i == Records / 2)
                    database.Execute("pragma wal_checkpoint(truncate)");
            }

            // As a killed process leaves it: closing would empty the log.
            Copy(directory, directory + ".killed");
        }

        Directory.Delete(directory, recursive: true);
        Directory.Move(directory + ".killed", directory);
    }

    /// <summary>Simulates a reboot.</summary>
    private static void ForgetWrittenMark(string directory)
    {
        using var mark = new FileStream(Path.Combine(directory, "journal.db-mark"), FileMode.Open);
        mark.Position = 1_024;
        mark.Write(new byte[512]);
    }

    private static void Commit(JournalDatabase database, int number)
    {
        var frame = new JournalRecordBuffer();
        frame.Add((ulong)number + 1, RecordOf(number));
        database.Commit([((ulong)number + 1, frame.ToArray())], Durability.Process, last: (ulong)number + 1);
    }

    private static Coordinator.Journal.Wire.Record RecordOf(int number)
    {
        var record = new Coordinator.Journal.Wire.Record();
        if (number == 0)
            record.Changes.Add(new Change
            {
                QueueCreated = new V1.QueueSpec
                {
                    Name = "q",
                    Kind = V1.QueueKind.Fifo,
                    Durability = V1.Durability.Process,
                    MaxItems = 100,
                    MaxBytes = 1 << 20
                }
            });
        record.Changes.Add(new Change
        {
            QueueChanged = new Coordinator.Journal.Wire.QueueChanged
            {
                Queue = "q",
                Counts = new Coordinator.Journal.Wire.QueueCounts { LastSequence = (ulong)number + 1, Unfinished = (ulong)number + 1 },
                Puts = { new Coordinator.Journal.Wire.KeptItem { Sequence = (ulong)number +
                    1, Body = Payloads.FromJson($"\"{Name(number)}\""), Bytes = 20 } },
            },
        });
        return record;
    }

    /// <summary>The records that a start finds; null where it refuses, with a message that names the file.</summary>
    private static List<string>? ReadNames(string directory)
    {
        try
        {
            using var journal = Open(directory);
            var objects = journal.Restored!.ToObjects();
            return [.. objects.Queues.SelectMany(queue => queue.Items).Select(item => ((V1.Payload)item.Body).Json.StringValue)];
        }
        catch (JournalException exception)
        {
            Assert.Contains("journal.db", exception.Message, StringComparison.Ordinal);
            return null;
        }
    }

    private static ChangeJournal Open(string directory) =>
        ChangeJournal.Open(directory, new JournalOptions(), new MonotonicClock(TimeProvider.System));

    private sealed class RecordEntry(Coordinator.Journal.Wire.Record record) : JournalEntry
    {
        public override Coordinator.Journal.Wire.Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks) => record;

        public override void OnWritten()
        {
        }

        public override void OnFailed(string why) => Assert.Fail(why);
    }

    private static string Name(int number) => $"item-{number}-of-{Records}";

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            if (!file.EndsWith(".lock", StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal))
                File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
