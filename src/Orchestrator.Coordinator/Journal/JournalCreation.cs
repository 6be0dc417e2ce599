using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Creates a journal where none exists, and never where one existed before.</summary>
internal static class JournalCreation
{
    private const string Tables =
        """
        pragma synchronous = full;
        create table meta(id integer primary key, data blob not null);
        create table frames(position integer primary key, data blob not null);
        create table snapshot(id integer primary key, data blob not null);
        create table history(task_id integer primary key, ended_at integer not null, data blob not null);
        """;

    /// <summary>Creates it.</summary>
    /// <exception cref="JournalException">The journal cannot be created, or one existed before.</exception>
    public static void CreateUnlessThere(string path)
    {
        if (File.Exists(path))
            return;
        try
        {
            if (new FileInfo(path + WriteAheadLog.Suffix) is { Exists: true, Length: > 0 }
                || JournalMarkFile.Read(path) is { Sequence: > 1 })
            {
                throw new JournalException(
                    $"the journal '{path}' is missing, though there was one: a file beside it is left. Put back a copy of " +
                    $"{JournalGuard.Names}, or move what is left of them away to begin without what they held");
            }

            Create(path);
        }
        catch (Exception exception)
            when (exception is SqliteException or UnauthorizedAccessException or (IOException and not JournalException))
        {
            throw new JournalException($"the journal '{path}' cannot be created: {exception.Message}", exception);
        }
    }

    /// <summary>Created under a temporary name until it is complete: a file with the final name always has its metadata.</summary>
    private static void Create(string path)
    {
        var unfinished = path + ".new";
        File.Delete(unfinished);
        using (File.Create(unfinished))
        {
        }

        var id = Guid.NewGuid();
        var meta = new JournalRecordBuffer();
        meta.Add(0, new Meta { Format = JournalDatabase.Format, JournalId = ByteString.CopyFrom(id.ToByteArray()), Writes = 1 });
        using (var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = unfinished, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString()))
        {
            connection.Open();
            Execute(connection, Tables);
            Execute(connection, "insert into meta(id, data) values(1, $meta)", meta.ToArray());
            Execute(connection, "pragma journal_mode = wal");
        }

        // The first mark number states that nothing has been written yet: a crash at this point leaves a mark without a journal.
        JournalMarkFile.Create(path, new JournalMark(id, 0, 1, default)).Dispose();
        File.Move(unfinished, path);
        DirectoryEntries.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void Execute(SqliteConnection connection, string sql, byte[]? meta = null)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (meta is not null)
            command.Parameters.AddWithValue("$meta", meta);
        command.ExecuteNonQuery();
    }
}
