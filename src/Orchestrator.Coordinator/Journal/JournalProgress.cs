using Microsoft.Data.Sqlite;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Records how far the journal has been written, after each commit and before any waiter learns of the commit.</summary>
internal sealed class JournalProgress : IDisposable
{
    /// <summary>How long the mark of a flushed commit may wait for its own flush.</summary>
    public static readonly TimeSpan FlushAfter = TimeSpan.FromMilliseconds(50);

    private readonly string _path;
    private readonly JournalMarkFile _mark;
    private readonly WriteAheadIndex _log;
    private JournalFiles? _files;
    private JournalMark _written;
    private JournalMark? _unflushed;
    private long _flushedAt;
    private uint _checkpointed;

    /// <summary>Starts from the existing mark.</summary>
    public JournalProgress(string path, SqliteConnection connection, JournalMarkFile mark, JournalMark first)
    {
        (_path, _mark, _written) = (path, mark, first);
        _log = new WriteAheadIndex(connection);
        _checkpointed = _log.Checkpointed;
    }

    /// <summary>Whether the mark of a flushed commit has not been flushed itself.</summary>
    public bool HasUnflushed => _unflushed is not null;

    /// <summary>Records a commit.</summary>
    /// <param name="last">The position of the last record; 0 where there are no new ones.</param>
    /// <param name="metaWrites">How often the metadata were written.</param>
    /// <param name="isFlushed">Whether the commit was flushed.</param>
    /// <exception cref="IOException">The mark cannot be written, or a file of the journal was deleted or replaced.</exception>
    public void Note(ulong last, ulong metaWrites, bool isFlushed)
    {
        // SQLite checkpoints a long log, and a checkpoint flushes the log first.
        var checkpointed = _log.Checkpointed;
        isFlushed |= checkpointed > 0 && checkpointed != _checkpointed;
        _checkpointed = checkpointed;
        if (_files is null)
            _files = new JournalFiles(_path);
        else if (isFlushed)
            _files.Check();
        _written = new JournalMark(
            _written.Journal, Math.Max(_written.Position, last), metaWrites, _log.Position)
        { Sequence = _written.Sequence + 1 };
        _mark.Write(_written);
        if (isFlushed)
            _unflushed = _written;
    }

    /// <summary>
    /// Flushes the mark if it is due. The commit itself was flushed before it was acknowledged; the mark follows a moment later, since a
    /// separate flush per commit would halve the disk's throughput. The cost: damage to the last moment before a power loss is taken for a
    /// torn tail.
    /// </summary>
    /// <exception cref="IOException">It cannot be flushed.</exception>
    public void Flush(bool now)
    {
        if (_unflushed is not { } mark || (!now && Environment.TickCount64 - _flushedAt < (long)FlushAfter.TotalMilliseconds))
            return;
        _mark.Flush(mark);
        (_unflushed, _flushedAt) = (null, Environment.TickCount64);
    }

    /// <summary>Verifies that the open files are still the files at their paths.</summary>
    /// <exception cref="JournalException">One was deleted, replaced or cut off.</exception>
    public void CheckFiles() => _files?.Check();

    public void Dispose()
    {
        try
        {
            Flush(now: true);
        }
        catch (IOException)
        {
            // The mark is then older than the journal, which does not prevent a start.
        }

        _mark.Dispose();
    }
}
