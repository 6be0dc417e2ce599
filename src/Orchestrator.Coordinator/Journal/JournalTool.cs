using Google.Protobuf;
using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Offline operations on a journal.</summary>
public static class JournalTool
{
    /// <summary>
    /// Reads the whole journal as a start would, and has SQLite check the file's pages; also works while its coordinator runs.
    /// </summary>
    /// <exception cref="JournalException">It is damaged; the message says where.</exception>
    public static JournalReport Verify(string directory)
    {
        using var database = JournalDatabase.OpenToRead(PathIn(directory));
        var (records, bytes) = (0L, 0L);
        var state = new JournalState();
        var position = database.ReadAll(state.Apply, (at, record) =>
        {
            state.Apply(at, record);
            records++;
            bytes += record.Count;
        });
        if (database.CheckPages() is { Length: > 0 } found)
            throw new JournalException(
                $"the journal '{database.Path}' can be read, but SQLite finds its pages damaged: {found}. " +
                "Compact it, or put back a copy of it");
        return new JournalReport(
            database.Path,
            position,
            records,
            bytes,
            (long)database.Meta.SnapshotBytes,
            state.Queues.Count,
            state.Queues.Values.Sum(queue => (long)queue.Count),
            state.States.Count,
            state.Tasks.Count,
            state.Tasks.Values.Count(task => task.End is null));
    }

    /// <summary>The records as JSON, one each, the snapshot's first; also works while its coordinator runs.</summary>
    /// <exception cref="JournalException">The journal is damaged; the records before the damage are returned.</exception>
    public static void Dump(string directory, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var database = JournalDatabase.OpenToRead(PathIn(directory));
        database.ReadAll(
            (position, record) => write($"{{\"snapshot\":{position},\"record\":{ToJson(record)}}}"),
            (position, record) => write($"{{\"position\":{position},\"record\":{ToJson(record)}}}"));
    }

    /// <summary>
    /// Writes a snapshot, deletes the records that it contains, and frees their space. The coordinator must have stopped.
    /// </summary>
    /// <returns>The file's size before and after, in bytes.</returns>
    /// <exception cref="JournalException">It is damaged or in use.</exception>
    public static (long Before, long After) Compact(string directory)
    {
        var path = PathIn(directory);
        // Before taking the lock, which would leave its file in a directory without a journal.
        if (!File.Exists(path))
            throw new JournalException($"there is no journal '{path}'; a coordinator creates one in its data directory");
        using var fileLock = JournalFileLock.Take(path);
        long SizeOf(string suffix) => new FileInfo(path + suffix) is { Exists: true } file ? file.Length : 0;
        var before = SizeOf("") + SizeOf(WriteAheadLog.Suffix);
        // A refused journal stays unchanged.
        using (var reader = JournalDatabase.OpenToRead(path))
            reader.ReadAll((_, _) => { }, (_, _) => { });
        using (var database = JournalDatabase.Open(path))
        {
            database.Commit([], Core.Common.Durability.Disk, database.DropUnfinishedSnapshots);
            string? failure = null;
            new JournalSnapshot(path).Make(piece => piece(database), () => { }, why => failure = why);
            if (failure is not null)
                throw new JournalException(failure);
            database.Vacuum();
        }

        return (before, SizeOf("") + SizeOf(WriteAheadLog.Suffix));
    }

    /// <summary>Accepts the readable part of a journal whose end is lost as its whole content. The coordinator must have stopped.</summary>
    /// <returns>The position of the last record.</returns>
    /// <exception cref="JournalException">The journal is damaged beyond that or in use.</exception>
    public static ulong Accept(string directory)
    {
        var path = PathIn(directory);
        if (!File.Exists(path))
            throw new JournalException($"there is no journal '{path}'; a coordinator creates one in its data directory");
        using var fileLock = JournalFileLock.Take(path);
        ulong last;
        using (var reader = JournalDatabase.OpenToRead(path, isWhole: false))
        {
            var state = new JournalState();
            last = reader.ReadAll(state.Apply, state.Apply);
            if (reader.CheckPages() is { Length: > 0 } found)
                throw new JournalException(
                    $"the journal '{path}' can be read, but SQLite finds its pages damaged: {found}. Put back a copy of it");
        }

        JournalDatabase.ForgetMark(path);
        using var database = JournalDatabase.Open(path);
        database.Commit([], Core.Common.Durability.Disk, last: last);
        return last;
    }

    private static string PathIn(string directory) => Path.Combine(directory, JournalDatabase.FileName);

    private static string ToJson(ArraySegment<byte> record) => JsonFormatter.Default.Format(JournalMessages.Parse(Record.Parser, record));
}

/// <summary>A summary of a journal's content.</summary>
/// <param name="Path">The file.</param>
/// <param name="LastPosition">The position of its last record.</param>
/// <param name="Records">Records after the snapshot.</param>
/// <param name="RecordBytes">Their bytes.</param>
/// <param name="SnapshotBytes">Bytes of the snapshot; 0 where there is none.</param>
/// <param name="Queues">Durable queues.</param>
/// <param name="Items">Items in them.</param>
/// <param name="StateObjects">Durable dicts, lists, values and arrays.</param>
/// <param name="Tasks">Durable tasks whose results are kept or that are unfinished.</param>
/// <param name="UnfinishedTasks">Those that are unfinished.</param>
public sealed record JournalReport(
    string Path, ulong LastPosition, long Records, long RecordBytes, long SnapshotBytes, int Queues, long Items, int StateObjects,
    int Tasks, int UnfinishedTasks);
