using Microsoft.Data.Sqlite;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The ends of durable tasks, for <c>ListTasks</c> after the engine has forgotten them. Written in the transaction that writes the end
/// itself, and bounded by number, size and age.
/// </summary>
internal sealed class EndedTaskStore(JournalDatabase database, JournalOptions options, TimeProvider time) : IDisposable
{
    // The number of ends between two checks of the bounds.
    private const int CheckAfter = 256;

    private readonly Lock _reading = new();
    private SqliteConnection? _reader;
    private int _sinceCheck = CheckAfter;
    private long _bytesSinceCheck;
    private long _bytes;

    /// <summary>The history's size in bytes; known from the first end of this run on.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Writes ends, inside a commit.</summary>
    public void Write(IReadOnlyList<EndedTask> ended)
    {
        foreach (var task in ended)
        {
            database.Execute(
                "insert or replace into history(task_id, ended_at, data) values($b, $c, $a)", task.Info, (long)task.TaskId, task.EndedAt);
            _bytesSinceCheck += task.Info.Length;
            Interlocked.Add(ref _bytes, task.Info.Length);
        }

        // A few long errors may take as much space as many short ends.
        if ((_sinceCheck += ended.Count) < CheckAfter && _bytesSinceCheck < options.HistoryBytes / 16)
            return;
        (_sinceCheck, _bytesSinceCheck) = (0, 0);
        // By id, which is the order of acceptance: close enough to the order of ends, and it needs no index.
        database.Execute("delete from history where task_id <= (select task_id from history order by task_id desc limit 1 offset $b)", null,
            options.HistoryTasks);
        database.Execute(
            "delete from history where task_id in (select task_id from history order by task_id limit 1024) and ended_at < $b",
            null,
            (time.GetUtcNow() - options.HistoryAge).UtcTicks);
        var bytes = database.ReadHistoryBytes();
        if (bytes > options.HistoryBytes)
        {
            // Trims to 10 % below the bound, so that not every check scans the table.
            database.Execute(
                """
                delete from history where task_id <= (
                    select task_id from (select task_id, sum(length(data)) over (order by task_id desc) as newer from history) where newer > $b order by task_id desc limit 1)
                """,
                null,
                options.HistoryBytes - (options.HistoryBytes / 10));
            bytes = database.ReadHistoryBytes();
        }

        Interlocked.Exchange(ref _bytes, bytes);
    }

    /// <summary>The ends of tasks with ids below a number, newest first.</summary>
    public IReadOnlyList<V1.TaskInfo> Read(long before, int maximum)
    {
        lock (_reading)
        {
            _reader ??= Open();
            using var command = _reader.CreateCommand();
            command.CommandText =
                "select data from history where task_id < $before and ended_at >= $oldest order by task_id desc limit $maximum";
            command.Parameters.AddWithValue("$before", before);
            command.Parameters.AddWithValue("$oldest", (time.GetUtcNow() - options.HistoryAge).UtcTicks);
            command.Parameters.AddWithValue("$maximum", maximum);
            using var reader = command.ExecuteReader();
            var found = new List<V1.TaskInfo>();
            while (reader.Read())
                found.Add(JournalMessages.Parse(V1.TaskInfo.Parser, (byte[])reader.GetValue(0)));
            return found;
        }
    }

    public void Dispose()
    {
        lock (_reading)
            _reader?.Dispose();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = database.Path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }
}

/// <summary>The end of a task as the history keeps it.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="EndedAt">When, in wall-clock ticks (UTC).</param>
/// <param name="Info">An encoded <see cref="V1.TaskInfo"/>, without the output.</param>
internal readonly record struct EndedTask(ulong TaskId, long EndedAt, byte[] Info);
