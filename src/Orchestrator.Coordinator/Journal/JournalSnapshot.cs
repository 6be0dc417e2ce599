using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Makes a snapshot from the file alone: reads and folds the file's content at one moment, and writes the result in pieces. The last piece
/// activates the snapshot and deletes the records that it contains, in one transaction; until then a restart reads the previous snapshot.
/// </summary>
internal sealed class JournalSnapshot(string path)
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Makes the snapshot.</summary>
    /// <param name="write">Writes a piece, in order, on the thread that owns the database.</param>
    /// <param name="onDone">Called after the last piece, when the snapshot is in effect.</param>
    /// <param name="onFailed">Called with the reason if the snapshot failed.</param>
    public void Make(Action<Action<JournalDatabase>> write, Action onDone, Action<string> onFailed)
    {
        try
        {
            var state = new JournalState();
            Meta meta;
            ulong position;
            using (var database = JournalDatabase.OpenToRead(path))
            {
                meta = database.Meta;
                position = database.ReadAll(state.Apply, state.Apply);
            }

            var snapshot = meta.Snapshot + 1;
            var (chunks, bytes) = WriteChunks(state, snapshot, write);
            write(target =>
            {
                // Further ids may have been reserved meanwhile.
                var now = new Meta(target.Meta)
                {
                    Snapshot = snapshot,
                    SnapshotChunks = chunks,
                    SnapshotPosition = position,
                    SnapshotBytes = bytes
                };
                target.Commit([], Core.Common.Durability.Disk, () => target.Activate(now));
            });
            onDone();
        }
        catch (Exception exception) when (exception is IOException or Microsoft.Data.Sqlite.SqliteException)
        {
            onFailed(exception.Message);
        }
    }

    private static (ulong Chunks, ulong Bytes) WriteChunks(JournalState state, ulong snapshot, Action<Action<JournalDatabase>> write)
    {
        var (chunks, bytes, position) = (0ul, 0ul, 1ul);
        var frame = new JournalRecordBuffer();
        foreach (var record in state.ToRecords())
        {
            frame.Add(position++, record);
            if (frame.Length >= ChunkBytes)
                Cut();
        }

        if (frame.Length > 0)
            Cut();
        return (chunks, bytes);

        void Cut()
        {
            var (number, data) = (chunks++, frame.ToArray());
            bytes += (ulong)data.Length;
            frame.Clear();
            write(target => target.Commit([], Core.Common.Durability.Process, () => target.WriteChunk(snapshot, number, data)));
        }
    }
}
