using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Makes a snapshot from the file alone: what it holds at one moment is read and folded, and written in pieces. The last piece puts it in force and deletes
/// the records that it contains, in one transaction; until then a restart reads what was in force before.
/// </summary>
internal sealed class JournalSnapshot(string path)
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Makes it.</summary>
    /// <param name="write">Has a piece written, in order, by the thread that owns the database.</param>
    /// <param name="onDone">It is in force; called behind the last piece.</param>
    /// <param name="onFailed">It could not be made; says why.</param>
    public void Make(Action<Action<JournalDatabase>> write, Action onDone, Action<string> onFailed)
    {
        try
        {
            var image = new JournalState();
            Meta meta;
            ulong position;
            using (var database = JournalDatabase.OpenToRead(path))
            {
                meta = database.Meta;
                position = database.ReadAll(image.Apply, image.Apply);
            }

            var snapshot = meta.Snapshot + 1;
            var (chunks, bytes) = WriteChunks(image, snapshot, write);
            write(target =>
            {
                // The ids that are reserved may have moved on meanwhile.
                var now = new Meta(target.Meta) { Snapshot = snapshot, SnapshotChunks = chunks, SnapshotPosition = position, SnapshotBytes = bytes };
                target.Commit([], Core.Journal.Durability.Disk, () => target.Activate(now));
            });
            onDone();
        }
        catch (Exception exception) when (exception is IOException or Microsoft.Data.Sqlite.SqliteException)
        {
            onFailed(exception.Message);
        }
    }

    private static (ulong Chunks, ulong Bytes) WriteChunks(JournalState image, ulong snapshot, Action<Action<JournalDatabase>> write)
    {
        var (chunks, bytes, position) = (0ul, 0ul, 1ul);
        var frame = new JournalRecordBuffer();
        foreach (var record in image.ToRecords())
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
            write(target => target.Commit([], Core.Journal.Durability.Process, () => target.WriteChunk(snapshot, number, data)));
        }
    }
}
