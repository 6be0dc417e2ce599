using System.Diagnostics;
using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The journal of all durable changes, in the order in which they happened. One thread writes: all entries queued since the last commit go
/// into the next one, so one record on an idle journal is written at once, and many under load share a flush. A pool thread notifies the
/// waiters of entries, in order. The first failed write is the last: after a failed flush the kernel may have dropped the pages, so a retry
/// could succeed over a hole.
/// </summary>
internal sealed class ChangeJournal : IDisposable, IThreadPoolWorkItem
{
    private const int MaxFrameBytes = 1 << 20;

    private static readonly TimeSpan IdCheckInterval = TimeSpan.FromSeconds(1);

    // A deleted or replaced file is reported within a second.
    private static readonly TimeSpan FileCheckInterval = TimeSpan.FromMilliseconds(400);

    // A monitor, since the journal's thread waits on it.
    private readonly object _gate = new();
    private readonly Lock _release = new();
    private readonly JournalDatabase _database;
    private readonly FileStream _fileLock;
    private readonly JournalOptions _options;
    private readonly ObjectChangeMapper _objects;
    private readonly TaskChangeMapper _tasks;
    private readonly EndedTaskStore _history;
    private readonly Thread _thread;
    private readonly JournalRecordBuffer _frame = new();
    private readonly Queue<(JournalEntry Entry, string? Failure)> _told = new();
    private List<JournalEntry> _queued = [];
    private List<JournalEntry> _taken = [];
    private List<Action> _maintenance = [];
    private bool _isTelling;
    private bool _isClosed;
    private bool _isSnapshotting;
    private ulong _position;
    private long _logBytes;
    private volatile string? _failure;
    private int _waiting;
    private long _idsCheckedAt = Environment.TickCount64;
    private long _filesCheckedAt = Environment.TickCount64;

    private ChangeJournal(
        JournalDatabase database, FileStream fileLock, JournalOptions options, MonotonicClock clock, JournalState state,
        ulong position, long logBytes)
    {
        _database = database;
        _fileLock = fileLock;
        _options = options;
        var times = new JournalClock(clock);
        _objects = new ObjectChangeMapper(times);
        _tasks = new TaskChangeMapper(times, new TaskResultMapper(clock));
        _history = new EndedTaskStore(database, options, clock.Provider);
        Restored = new JournalRestorer(state, times);
        _position = position;
        _logBytes = logBytes;
        FirstIds = new JournalIds(database.Meta.TaskId, database.Meta.FencingToken, database.Meta.EventSequence);
        _thread = new Thread(Run) { Name = "journal", IsBackground = true };
    }

    /// <summary>The journal's content at opening; null once it has been restored.</summary>
    public JournalRestorer? Restored { get; private set; }

    /// <summary>The upper bounds of the ids that earlier runs may have issued.</summary>
    public JournalIds FirstIds { get; }

    /// <summary>Why writing has failed; null while it succeeds.</summary>
    public string? Failure => _failure;

    /// <summary>Its commits so far.</summary>
    public JournalTally Tally { get; } = new();

    /// <summary>Called once, when the first write fails.</summary>
    public event Action<string>? Failed;

    /// <summary>Returns the ids issued so far; called from time to time, and at the end.</summary>
    public Func<JournalIds>? UsedIds { get; set; }

    /// <summary>Opens the journal of a data directory, reads all of it, and starts writing.</summary>
    /// <exception cref="JournalException">It is damaged, in use by another coordinator, or cannot be created or written.</exception>
    public static ChangeJournal Open(string directory, JournalOptions options, MonotonicClock clock)
    {
        var path = Path.Combine(directory, JournalDatabase.FileName);
        var fileLock = JournalFileLock.Take(path);
        JournalDatabase? database = null;
        try
        {
            JournalCreation.CreateUnlessThere(path);
            var state = new JournalState();
            var bytes = 0L;
            ulong position;
            // Read-only: a journal refused as damaged stays unchanged, so that an operator can still recover data from it.
            using (var reader = JournalDatabase.OpenToRead(path))
            {
                position = reader.ReadAll(state.Apply, (at, record) =>
                {
                    state.Apply(at, record);
                    bytes += record.Count;
                });
            }

            database = JournalDatabase.Open(path);
            var journal = new ChangeJournal(database, fileLock, options, clock, state, position, bytes);
            journal.StartEpoch();
            journal._thread.Start();
            return journal;
        }
        catch
        {
            database?.Dispose();
            fileLock.Dispose();
            throw;
        }
    }

    /// <summary>Called when the engines have restored the journal's content.</summary>
    public void ForgetRestored() => Restored = null;

    /// <summary>Whether an appended entry is still unannounced: effects that mention durable state must queue behind it.</summary>
    public bool IsBusy => Volatile.Read(ref _waiting) > 0;

    /// <summary>Appends a step. Called under the engine's lock, which fixes the order.</summary>
    public void Append(JournalEntry entry)
    {
        Interlocked.Increment(ref _waiting);
        lock (_gate)
        {
            if (_failure is null && !_isClosed)
            {
                _queued.Add(entry);
                Monitor.Pulse(_gate);
                return;
            }
        }

        CompleteEntries([entry], _failure ?? "the coordinator has stopped");
    }

    /// <summary>Waits until all entries appended so far are written. Null on success, else the reason for the failure.</summary>
    public Task<string?> WrittenAsync()
    {
        if (!IsBusy)
            return Task.FromResult(_failure);
        var barrier = new JournalBarrier();
        Append(barrier);
        return barrier.Done;
    }

    /// <summary>The size of the task ends in the history, in bytes; 0 before the first end of this run.</summary>
    public long HistoryBytes => _history.Bytes;

    /// <summary>The numbers.</summary>
    public JournalOptions Options => _options;

    /// <summary>Ends of tasks that the engine has forgotten, newest first.</summary>
    public IReadOnlyList<V1.TaskInfo> ReadHistory(long before, int maximum) => _history.Read(before, maximum);

    /// <summary>Writes the queued entries, and records that no ids beyond those used were issued.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            Monitor.Pulse(_gate);
        }

        if (_thread.IsAlive)
            _thread.Join();
        if (_failure is null)
        {
            try
            {
                if (UsedIds is { } used)
                    JournalIds.Reserve(_database, used(), 0);
            }
            catch (Exception exception) when (exception is SqliteException or IOException)
            {
                // The reserved ids stay reserved.
            }
        }

        _history.Dispose();
        _database.Dispose();
        _fileLock.Dispose();
    }

    void IThreadPoolWorkItem.Execute()
    {
        // In order, one after the other; this thread also completes entries appended meanwhile.
        while (true)
        {
            (JournalEntry Entry, string? Failure) next;
            lock (_release)
            {
                if (!_told.TryDequeue(out next))
                {
                    _isTelling = false;
                    return;
                }
            }

            if (next.Failure is { } why)
                next.Entry.OnFailed(why);
            else
                next.Entry.OnWritten();
            Interlocked.Decrement(ref _waiting);
        }
    }

    private void StartEpoch()
    {
        var meta = new Meta(_database.Meta);
        meta.Lives++;
        JournalIds.Extend(meta);
        try
        {
            _database.Commit([], Durability.Disk, () =>
            {
                _database.DropUnfinishedSnapshots();
                _database.Write(meta);
            }, _position);
        }
        catch (Exception exception) when (exception is SqliteException or (IOException and not JournalException))
        {
            throw new JournalException($"the journal '{_database.Path}' cannot be written: {exception.Message}", exception);
        }
    }

    private void Run()
    {
        while (true)
        {
            List<Action> maintenance;
            lock (_gate)
            {
                while (_queued.Count == 0 && _maintenance.Count == 0 && !_isClosed)
                {
                    if (!Monitor.Wait(_gate, _database.Progress.HasUnflushed ? JournalProgress.FlushAfter : FileCheckInterval))
                        break;
                }

                if (_queued.Count == 0 && _maintenance.Count == 0 && _isClosed)
                    return;
                (_queued, _taken) = (_taken, _queued);
                (maintenance, _maintenance) = (_maintenance, []);
            }

            try
            {
                if (_taken.Count > 0)
                    Write(_taken);
                CompleteEntries(_taken, null);
                _taken.Clear();
                foreach (var action in maintenance)
                    action();
                _database.Progress.Flush(now: false);
                CheckFilesIfDue();
                ReserveIdsIfNeeded();
                SnapshotIfNeeded();
            }
            catch (Exception exception) when (exception is SqliteException or IOException or InvalidOperationException
                or InvalidProtocolBufferException)
            {
                Fail(exception);
                return;
            }
            finally
            {
                _taken.Clear();
            }
        }
    }

    private void Write(List<JournalEntry> entries)
    {
        var frames = new List<(ulong, byte[])>();
        var level = Durability.Memory;
        var first = _position + 1;
        var position = _position;
        foreach (var entry in entries)
        {
            if (entry.ToRecord(_objects, _tasks) is not { Changes.Count: > 0 } record)
                continue;
            _frame.Add(++position, record);
            if (entry.Level > level)
                level = entry.Level;
            if (_frame.Length >= MaxFrameBytes)
                Cut();
        }

        Cut();
        if (frames.Count == 0)
            return;
        var ended = _tasks.TakeEnded();
        var began = Stopwatch.GetTimestamp();
        _database.Commit(frames, level, ended.Count > 0 ? () => _history.Write(ended) : null, position);
        Tally.Count(level, Stopwatch.GetElapsedTime(began), frames.Sum(frame => frame.Item2.LongLength));
        _position = position;

        void Cut()
        {
            if (_frame.Length == 0)
                return;
            frames.Add((first, _frame.ToArray()));
            _logBytes += _frame.Length;
            first = position + 1;
            _frame.Clear();
        }
    }

    private void CompleteEntries(List<JournalEntry> entries, string? failure)
    {
        lock (_release)
        {
            foreach (var entry in entries)
                _told.Enqueue((entry, failure));
            if (_isTelling || _told.Count == 0)
                return;
            _isTelling = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Fail(Exception exception)
    {
        var why = exception is SqliteException sqlite
            ? $"{_database.Path}: {sqlite.Message} (SQLite {sqlite.SqliteExtendedErrorCode})" : $"{_database.Path}: {exception.Message}";
        List<JournalEntry> rest;
        lock (_gate)
        {
            _failure = why;
            rest = [.. _taken, .. _queued];
            _queued.Clear();
        }

        // The engines learn of the failure before the waiters do.
        Failed?.Invoke(why);
        CompleteEntries(rest, why);
    }

    private void CheckFilesIfDue()
    {
        if (Environment.TickCount64 - _filesCheckedAt < (long)FileCheckInterval.TotalMilliseconds)
            return;
        _filesCheckedAt = Environment.TickCount64;
        _database.Progress.CheckFiles();
    }

    private void ReserveIdsIfNeeded()
    {
        // Reading the issued ids takes the engines' locks, so not at every commit.
        if (UsedIds is not { } ask || Environment.TickCount64 - _idsCheckedAt < (long)IdCheckInterval.TotalMilliseconds)
            return;
        _idsCheckedAt = Environment.TickCount64;
        var used = ask();
        if (used.AreNearlyUsed(_database.Meta))
            JournalIds.Reserve(_database, used, JournalIds.Ahead);
    }

    private void SnapshotIfNeeded()
    {
        if (_isSnapshotting || _logBytes < Math.Max(_options.SnapshotAfterBytes, 2 * (long)_database.Meta.SnapshotBytes))
            return;
        _isSnapshotting = true;
        var snapshot = new JournalSnapshot(_database.Path);
        var at = _logBytes;
        // The snapshot is read and folded on another thread, from the file alone; only its pieces are written here, between commits.
        ThreadPool.UnsafeQueueUserWorkItem(
            _ => snapshot.Make(
                piece => Maintain(() => piece(_database)),
                () => Maintain(() => (_isSnapshotting, _logBytes) = (false, _logBytes - at)),
                why => Maintain(() => throw new IOException($"the snapshot could not be made: {why}"))),
            null);
    }

    private void Maintain(Action action)
    {
        lock (_gate)
        {
            _maintenance.Add(action);
            Monitor.Pulse(_gate);
        }
    }
}
