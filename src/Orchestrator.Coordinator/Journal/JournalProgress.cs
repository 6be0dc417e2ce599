using Microsoft.Data.Sqlite;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Notes how far a journal that is being written has come, behind each commit and before anybody is told of it.</summary>
internal sealed class JournalProgress : IDisposable
{
    /// <summary>How long the mark of something that was flushed may wait for its own flush.</summary>
    public static readonly TimeSpan FlushAfter = TimeSpan.FromMilliseconds(50);

    private readonly string _path;
    private readonly JournalMarkFile _mark;
    private readonly WriteAheadIndex _log;
    private JournalFiles? _files;
    private JournalMark _written;
    private JournalMark? _unflushed;
    private long _flushedAt;
    private uint _checkpointed;

    /// <summary>Begins to, with what the mark says so far.</summary>
    public JournalProgress(string path, SqliteConnection connection, JournalMarkFile mark, JournalMark first)
    {
        (_path, _mark, _written) = (path, mark, first);
        _log = new WriteAheadIndex(connection);
        _checkpointed = _log.Checkpointed;
    }

    /// <summary>Whether a mark of what has been flushed has not been flushed itself.</summary>
    public bool HasUnflushed => _unflushed is not null;

    /// <summary>Notes a commit.</summary>
    /// <param name="last">The position of the last record; 0 where there are no new ones.</param>
    /// <param name="metaWrites">How often the meta data were written.</param>
    /// <param name="isFlushed">Whether it was flushed.</param>
    /// <exception cref="IOException">The mark cannot be written, or a file of the journal is gone.</exception>
    public void Note(ulong last, ulong metaWrites, bool isFlushed)
    {
        // A checkpoint, of which SQLite makes one when the log is long, flushes the log first.
        var checkpointed = _log.Checkpointed;
        isFlushed |= checkpointed > 0 && checkpointed != _checkpointed;
        _checkpointed = checkpointed;
        if (_files is null)
            _files = new JournalFiles(_path);
        else if (isFlushed)
            _files.Check();
        _written = new JournalMark(_written.Journal, Math.Max(_written.Position, last), metaWrites, _log.Position) { Sequence = _written.Sequence + 1 };
        _mark.Write(_written);
        if (isFlushed)
            _unflushed = _written;
    }

    /// <summary>
    /// Flushes the mark, where it is time. What it is of has been flushed before it was acknowledged; the mark itself finds its way to the disk a moment later, since
    /// a flush of its own for each would halve what a disk can do. Only damage to the last moment before a loss of power is then taken for a torn tail.
    /// </summary>
    /// <exception cref="IOException">It cannot be flushed.</exception>
    public void Flush(bool now)
    {
        if (_unflushed is not { } mark || (!now && Environment.TickCount64 - _flushedAt < (long)FlushAfter.TotalMilliseconds))
            return;
        _mark.Flush(mark);
        (_unflushed, _flushedAt) = (null, Environment.TickCount64);
    }

    /// <summary>Whether the files are still those that are being written.</summary>
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
            // It is older than what there is, which costs no start.
        }

        _mark.Dispose();
    }
}
