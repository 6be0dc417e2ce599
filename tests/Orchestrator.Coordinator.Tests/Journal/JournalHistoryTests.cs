using Google.Protobuf;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>
/// The ends of durable tasks that <c>ListTasks</c> shows after the engine has forgotten them: bounded by number, size and age, the oldest
/// are removed first.
/// </summary>
public sealed class JournalHistoryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_is_bounded_by_size()
    {
        const int Bound = 100_000;
        var options = new JournalOptions { HistoryBytes = Bound };
        using var database = Open();
        using var history = new EndedTaskStore(database, options, TimeProvider.System);
        for (var id = 1ul; id <= 1_000; id++)
        {
            Write(database, history, End(id, 1_000));
            // The bound is checked only at intervals, so it may be exceeded by this much.
            Assert.InRange(database.ReadHistoryBytes(), 1_000, Bound + (Bound / 16) + 1_100);
            Assert.Equal(database.ReadHistoryBytes(), history.Bytes);
        }

        var left = history.Read(long.MaxValue, 1_000);
        Assert.InRange(left.Count, 80, 110);
        Assert.Equal(Enumerable.Range(0, left.Count).Select(i => 1_000 - (ulong)i), left.Select(task => task.TaskId));
    }

    [Fact]
    public void One_that_is_too_large_alone_leaves_nothing()
    {
        using var database = Open();
        using var history = new EndedTaskStore(database, new JournalOptions { HistoryBytes = 500 }, TimeProvider.System);
        Write(database, history, End(1, 100));
        Assert.Single(history.Read(long.MaxValue, 10));
        Write(database, history, End(2, 1_000));
        Assert.Empty(history.Read(long.MaxValue, 10));
        Assert.Equal(0, history.Bytes);
    }

    [Fact]
    public void A_next_life_knows_how_much_there_is()
    {
        using (var database = Open())
        using (var history = new EndedTaskStore(database, new JournalOptions(), TimeProvider.System))
            Write(database, history, [.. Enumerable.Range(1, 50).SelectMany(id => End((ulong)id, 1_000))]);
        using var again = Open();
        using var next = new EndedTaskStore(again, new JournalOptions { HistoryBytes = 20_000 }, TimeProvider.System);
        Write(again, next, End(51, 1_000));
        var left = next.Read(long.MaxValue, 100);
        Assert.InRange(left.Count, 10, 18);
        Assert.Equal(51ul, left[0].TaskId);
        Assert.Equal(again.ReadHistoryBytes(), next.Bytes);
    }

    [Fact]
    public void It_is_bounded_by_number_and_age()
    {
        using var database = Open();
        using (var history = new EndedTaskStore(database, new JournalOptions { HistoryTasks = 10 }, TimeProvider.System))
            Write(database, history, [.. Enumerable.Range(1, 300).SelectMany(id => End((ulong)id, 10))]);
        using var again = new EndedTaskStore(database, new JournalOptions(), TimeProvider.System);
        Assert.Equal(10, again.Read(long.MaxValue, 100).Count);
        var aged = End(301, 10)[0] with { EndedAt = TimeProvider.System.GetUtcNow().AddDays(-8).UtcTicks };
        Write(database, again, [aged]);
        Assert.Equal(300ul, again.Read(long.MaxValue, 100)[0].TaskId);
    }

    private JournalDatabase Open() => JournalDatabase.Open(Path.Combine(_directory, JournalDatabase.FileName));

    private static void Write(JournalDatabase database, EndedTaskStore history, IReadOnlyList<EndedTask> ended) =>
        database.Commit([], Durability.Process, () => history.Write(ended));

    private static EndedTask[] End(ulong id, int bytes) =>
        [new EndedTask(
            id, TimeProvider.System.GetUtcNow().UtcTicks, new V1.TaskInfo { TaskId = id, Handler = new string('h', bytes) }.ToByteArray())];
}
