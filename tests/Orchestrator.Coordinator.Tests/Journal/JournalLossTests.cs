using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>Part 5, 5: what was flushed is there after a crash of the machine, and a file that is removed is noticed.</summary>
public sealed class JournalLossTests : IDisposable
{
    private const string Log = "journal.db-wal";
    private const string Mark = "journal.db-mark";

    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-damage-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>Part 5, 5: flushed data must also survive the death of the machine.</summary>
    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Disk)]
    public void What_was_flushed_must_survive_the_machine(Durability level)
    {
        var at = NewFolder();
        var killed = NewFolder();
        using (var database = JournalDatabase.Open(Path.Combine(at, "journal.db")))
        {
            for (var i = 0ul; i < 3; i++)
                database.Commit([], (Core.Common.Durability)level, () => database.Write(new Coordinator.Journal.Wire.Meta(database.Meta)));
            database.Progress.Flush(now: true);
            JournalFolder.Copy(at, killed);
        }

        JournalFolder.Flip(killed, Mark, 1_024 + 32);
        JournalFolder.Cut(killed, Log, new FileInfo(Path.Combine(killed, Log)).Length - 1);
        if (level == Durability.Disk)
        {
            Assert.Contains("ends within frame", Assert.Throws<JournalException>(() => Open(killed)).Message, StringComparison.Ordinal);
        }
        else
        {
            using (Open(killed))
            {
            }
        }
    }

    /// <summary>Part 5, 5: each file of the journal, removed in each way, while the journal is open and idle.</summary>
    [Theory]
    [InlineData("journal.db")]
    [InlineData(Log)]
    [InlineData(Mark)]
    [InlineData("journal.db-shm")]
    [InlineData("journal.db.lock")]
    public async Task A_file_that_is_missing_is_noticed(string file)
    {
        (string Says, Action<string> Do)[] ways =
        [
            ("was deleted or moved", File.Delete),
            ("was deleted or moved", path => File.Move(path, path + ".old")),
            ("was replaced", path =>
            {
                File.Move(path, path + ".old");
                File.WriteAllBytes(path, new byte[100_000]);
            }),
        ];
        foreach (var (says, act) in ways)
        {
            var at = NewFolder();
            using var journal = Open(at);
            var failed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            journal.Failed += failed.SetResult;
            act(Path.Combine(at, file));
            var why = await failed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            Assert.Contains($"{Path.Combine(at, file)} {says}", why, StringComparison.Ordinal);
            Assert.NotNull(await journal.WrittenAsync());
        }
    }

    private static ChangeJournal Open(string directory) =>
        ChangeJournal.Open(directory, new JournalOptions(), new MonotonicClock(TimeProvider.System));

    private string NewFolder() => Directory.CreateDirectory(Path.Combine(_root, $"{Guid.NewGuid():N}")).FullName;
}
