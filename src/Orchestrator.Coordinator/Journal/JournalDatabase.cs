using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The file <c>journal.db</c>: frames of records keyed by the position of their first record, the snapshot in chunks, one row of metadata,
/// and the history of ended tasks. Used by one thread at a time.
/// </summary>
internal sealed class JournalDatabase : IDisposable
{
    /// <summary>The file's name below the data directory.</summary>
    public const string FileName = "journal.db";

    /// <summary>The format that this build reads and writes.</summary>
    public const int Format = 1;

    // A chunk's row id is its snapshot's number times this, plus the chunk's own number.
    private const long ChunksPerSnapshot = 1L << 32;

    private readonly SqliteConnection _connection;
    private Durability _level = Durability.Memory;
    private SqliteCommand? _begin;
    private SqliteCommand? _insert;
    private SqliteCommand? _commit;
    private JournalProgress? _progress;
    private JournalMark? _expected;

    private JournalDatabase(string path, bool forWriting)
    {
        Path = path;
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = forWriting ? SqliteOpenMode.ReadWrite : SqliteOpenMode.ReadOnly,
            Pooling = false,
        }.ToString());
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The file's metadata.</summary>
    public Meta Meta { get; private set; } = new();

    /// <summary>Opens a journal for writing; creates it if there is none.</summary>
    /// <exception cref="JournalException">The journal is damaged, of another format, or cannot be opened or created.</exception>
    public static JournalDatabase Open(string path)
    {
        JournalCreation.CreateUnlessThere(path);
        return OpenExisting(path, forWriting: true, database =>
        {
            // The default of 1,000 pages of 4 KB means a checkpoint, with two flushes, every few hundred records of a busy queue.
            database.Execute("pragma wal_autocheckpoint = 4000");
            database._progress = database.OpenProgress();
        });
    }

    /// <summary>Opens a journal for reading; also works while its coordinator runs.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isWhole">Whether to refuse a journal that ends before its mark.</param>
    /// <exception cref="JournalException">As <see cref="Open"/>, or there is none.</exception>
    public static JournalDatabase OpenToRead(string path, bool isWhole = true)
    {
        if (!File.Exists(path))
            throw new JournalException($"there is no journal '{path}'; a coordinator creates one in its data directory");
        JournalMark? expected = null;
        if (isWhole)
        {
            // Before SQLite opens the log, which treats everything after the first bad frame as nonexistent. And before reading, since a
            // coordinator may be writing.
            JournalGuard.Run(path, () =>
            {
                expected = JournalMarkFile.Read(path);
                if (expected is { } mark)
                    WriteAheadLog.Check(path, mark.Log);
            });
        }

        return OpenExisting(path, forWriting: false, database =>
        {
            // One transaction, so that all reads see the same state.
            database.Execute("begin");
            database.ReadMeta();
            if (isWhole)
                database.Expect(expected);
        });
    }

    /// <summary>Writes records, all or none of them.</summary>
    /// <param name="frames">The frames, and the position of the first record of each.</param>
    /// <param name="level">The durability that must be reached when this returns.</param>
    /// <param name="alsoInside">Writes further rows in the same transaction.</param>
    /// <param name="last">The position of the last record; 0 where there are no new ones.</param>
    /// <exception cref="JournalException">A file of the journal was deleted or replaced, so written records are lost.</exception>
    public void Commit(IReadOnlyList<(ulong Position, byte[] Frame)> frames, Durability level, Action? alsoInside = null, ulong last = 0)
    {
        if (level != _level)
        {
            // For the write-ahead log: NORMAL writes at a commit, FULL also flushes, including earlier commits.
            Execute(level == Durability.Disk ? "pragma synchronous = full" : "pragma synchronous = normal");
            _level = level;
        }

        Prepare();
        _begin!.ExecuteNonQuery();
        try
        {
            foreach (var (position, frame) in frames)
            {
                _insert!.Parameters[0].Value = (long)position;
                _insert.Parameters[1].Value = frame;
                _insert.ExecuteNonQuery();
            }

            alsoInside?.Invoke();
            _commit!.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            RollBack();
            throw;
        }

        _progress?.Note(last, Meta.Writes, level == Durability.Disk);
    }

    /// <summary>The write progress, if the journal is open for writing.</summary>
    public JournalProgress Progress => _progress ?? throw new InvalidOperationException("the journal is open for reading only");

    /// <summary>Forgets the recorded progress: from the next opening on, the content readable now counts as complete.</summary>
    public static void ForgetMark(string path)
    {
        using var database = OpenExisting(path, forWriting: true, _ => { });
        database.Guarded(() =>
        {
            database.Execute("pragma synchronous = full");
            database.Write(new Meta(database.Meta) { JournalId = ByteString.Empty });
        });
    }

    /// <summary>Reads every record of the snapshot, which has its own positions, then every later record.</summary>
    /// <exception cref="JournalException">Something is damaged or missing.</exception>
    public ulong ReadAll(Action<ulong, ArraySegment<byte>> onSnapshot, Action<ulong, ArraySegment<byte>> onRecord) => Guarded(() =>
    {
        ReadSnapshot(onSnapshot);
        var last = ReadFrames(onRecord);
        if (_expected is { } mark && (last < mark.Position || Meta.Writes < mark.MetaWrites))
        {
            var lost = last < mark.Position ? $"it ends with record {last}, and record {mark.Position} was written"
                : "its metadata are older than those that were written";
            throw new JournalException($"{lost}: the end of the journal is lost ({WriteAheadLog.Describe(Path)})") { IsLoss = true };
        }

        return last;
    });

    /// <summary>Changes the metadata, inside a commit.</summary>
    public void Write(Meta meta)
    {
        meta.Writes++;
        var frame = new JournalRecordBuffer();
        frame.Add(0, meta);
        Execute("insert or replace into meta(id, data) values(1, $a)", frame.ToArray());
        Meta = meta;
    }

    /// <summary>Writes a chunk of a snapshot that is not in effect yet, inside a commit.</summary>
    public void WriteChunk(ulong snapshot, ulong chunk, byte[] frame) =>
        Execute("insert or replace into snapshot(id, data) values($b, $a)", frame, (long)snapshot * ChunksPerSnapshot + (long)chunk);

    /// <summary>Activates a snapshot, and deletes the records that it contains and the previous snapshot, inside a commit.</summary>
    public void Activate(Meta meta)
    {
        Write(meta);
        Execute("delete from snapshot where id < $b", null, (long)meta.Snapshot * ChunksPerSnapshot);
        Execute("delete from frames where position <= $b", null, (long)meta.SnapshotPosition);
    }

    /// <summary>Deletes chunks of a snapshot that was never activated.</summary>
    public void DropUnfinishedSnapshots() =>
        Execute("delete from snapshot where id >= $b", null, ((long)Meta.Snapshot + 1) * ChunksPerSnapshot);

    /// <summary>The size of the kept task ends, in bytes.</summary>
    public long ReadHistoryBytes()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "select coalesce(sum(length(data)), 0) from history";
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Releases the file's free pages and empties the write-ahead log.</summary>
    public void Vacuum() => Guarded(() =>
    {
        Execute("vacuum");
        Execute("pragma wal_checkpoint(truncate)");
        return 0;
    });

    /// <summary>The faults that SQLite finds in the file itself; empty if there are none.</summary>
    public string CheckPages() => Guarded(() =>
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "pragma integrity_check(1)";
        var found = (string?)command.ExecuteScalar();
        return found is null or "ok" ? "" : found;
    });

    public void Dispose()
    {
        _begin?.Dispose();
        _insert?.Dispose();
        _commit?.Dispose();
        _connection.Dispose();
        _progress?.Dispose();
    }

    /// <summary>Runs a statement; <c>$a</c>, <c>$b</c> and <c>$c</c> are its parameters.</summary>
    internal void Execute(string sql, byte[]? a = null, long? b = null, long? c = null)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        if (a is not null)
            command.Parameters.AddWithValue("$a", a);
        if (b is not null)
            command.Parameters.AddWithValue("$b", b);
        if (c is not null)
            command.Parameters.AddWithValue("$c", c);
        command.ExecuteNonQuery();
    }

    /// <summary>Compiled once: a transaction with a single record is the usual case.</summary>
    private void Prepare()
    {
        if (_begin is not null)
            return;
        _begin = _connection.CreateCommand();
        _begin.CommandText = "begin immediate";
        _commit = _connection.CreateCommand();
        _commit.CommandText = "commit";
        _insert = _connection.CreateCommand();
        _insert.CommandText = "insert into frames(position, data) values($position, $data)";
        _insert.Parameters.Add("$position", SqliteType.Integer);
        _insert.Parameters.Add("$data", SqliteType.Blob);
        _insert.Prepare();
    }

    private void RollBack()
    {
        try
        {
            Execute("rollback");
        }
        catch (SqliteException)
        {
            // SQLite has already rolled back, as it does on a full disk.
        }
    }

    private static JournalDatabase OpenExisting(string path, bool forWriting, Action<JournalDatabase> then)
    {
        var database = new JournalDatabase(path, forWriting);
        try
        {
            database.Guarded(() =>
            {
                // To SQLite an empty file is a valid empty database; here it is a journal that has lost everything.
                if (new FileInfo(path).Length == 0)
                    throw new JournalException("the file is empty, though a journal never is: what it held is lost");
                database._connection.Open();
                database.Execute("pragma journal_mode = wal");
                database.ReadMeta();
                then(database);
            });
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>A journal of an earlier version has no mark yet, and is accepted without one this once.</summary>
    private JournalProgress OpenProgress()
    {
        if (!Meta.JournalId.IsEmpty)
        {
            var (file, mark) = JournalMarkFile.Open(Path);
            return new JournalProgress(Path, _connection, file, mark);
        }

        var first = new JournalMark(Guid.NewGuid(), 0, 0, default);
        var created = JournalMarkFile.Create(Path, first);
        Execute("pragma synchronous = full");
        _level = Durability.Disk;
        Write(new Meta(Meta) { JournalId = ByteString.CopyFrom(first.Journal.ToByteArray()) });
        // Checkpointed into the database file, so that it is not lost with the log.
        Execute("pragma wal_checkpoint(truncate)");
        return new JournalProgress(Path, _connection, created, first);
    }

    private void Expect(JournalMark? mark)
    {
        var name = System.IO.Path.GetFileName(Path) + JournalMarkFile.Suffix;
        if (mark is null && !Meta.JournalId.IsEmpty && !File.Exists(Path + JournalMarkFile.Suffix))
            throw new JournalException(
                $"{name}, which says how far the journal has come, is missing, so it is unknown whether its end is lost")
            { IsLoss = true };
        if (mark is { } found && !Meta.JournalId.IsEmpty && new Guid(Meta.JournalId.Span) != found.Journal)
            throw new JournalException(
                $"{name} is that of another journal, so it is unknown whether the end of this one is lost")
            { IsLoss = true };
        _expected = mark;
    }

    private void ReadMeta()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "select data from meta where id = 1";
        if (command.ExecuteScalar() is not byte[] frame)
            throw new JournalException("its row of metadata is missing");
        Meta? meta = null;
        JournalRecordBuffer.Read("meta", 0, frame, (_, bytes) => meta = Meta.Parser.ParseFrom(bytes.AsSpan()));
        if (meta is null || meta.Format != Format)
            throw new JournalException($"it has the format {meta?.Format}, and this build reads format {Format}");
        Meta = meta;
    }

    private void ReadSnapshot(Action<ulong, ArraySegment<byte>> onRecord)
    {
        var first = (long)Meta.Snapshot * ChunksPerSnapshot;
        using var command = _connection.CreateCommand();
        command.CommandText = "select id, data from snapshot where id >= $first and id < $end order by id";
        command.Parameters.AddWithValue("$first", first);
        command.Parameters.AddWithValue("$end", first + ChunksPerSnapshot);
        using var reader = command.ExecuteReader();
        var chunk = 0ul;
        var position = 1ul;
        for (; reader.Read(); chunk++)
        {
            if (reader.GetInt64(0) != first + (long)chunk)
                throw new JournalException($"chunk {chunk} of snapshot {Meta.Snapshot} is missing: the journal is damaged");
            position += JournalRecordBuffer.Read($"snapshot {Meta.Snapshot}", position, (byte[])reader.GetValue(1), onRecord);
        }

        if (chunk != Meta.SnapshotChunks)
            throw new JournalException($"snapshot {Meta.Snapshot} has {chunk} chunks of {Meta.SnapshotChunks}: the journal is damaged");
    }

    private ulong ReadFrames(Action<ulong, ArraySegment<byte>> onRecord)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "select position, data from frames order by position";
        using var reader = command.ExecuteReader();
        var next = Meta.SnapshotPosition + 1;
        while (reader.Read())
        {
            var position = (ulong)reader.GetInt64(0);
            if (position != next)
                throw new JournalException($"record {next} is missing, and record {position} is there: the journal is damaged");
            next += JournalRecordBuffer.Read("the log", position, (byte[])reader.GetValue(1), onRecord);
        }

        return next - 1;
    }

    private T Guarded<T>(Func<T> read) => JournalGuard.Run(Path, read);

    private void Guarded(Action run) => JournalGuard.Run(Path, run);
}
