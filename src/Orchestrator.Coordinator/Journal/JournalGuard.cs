using Google.Protobuf;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Makes failures of the journal name the file and the remedy.</summary>
internal static class JournalGuard
{
    /// <summary>The files of one journal, for messages.</summary>
    public const string Names =
        $"{JournalDatabase.FileName}, {JournalDatabase.FileName}{WriteAheadLog.Suffix} and " +
        $"{JournalDatabase.FileName}{JournalMarkFile.Suffix}";

    // SQLite result codes.
    private const int InputOutputError = 10;
    private const int Full = 13;

    /// <summary>Runs an operation that opens or reads the journal.</summary>
    /// <exception cref="JournalException">The operation failed.</exception>
    public static void Run(string path, Action action) => Run(path, () =>
    {
        action();
        return 0;
    });

    /// <inheritdoc cref="Run(string, Action)"/>
    public static T Run<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode is InputOutputError or Full && HasNoRoom(path))
        {
            // The advice for a damaged file would be wrong here: the file is intact.
            throw new JournalException(
                $"the journal '{path}' cannot be opened: No space left on device ({exception.Message.TrimEnd('.')}). Make room, and " +
                "start again", exception);
        }
        catch (Exception exception)
            when (exception is SqliteException or JournalException or InvalidProtocolBufferException or InvalidCastException or IOException
                                              or UnauthorizedAccessException)
        {
            var isLoss = exception is JournalException { IsLoss: true };
            throw new JournalException(
                $"the journal '{path}' cannot be read: {exception.Message.TrimEnd('.')}. Nothing was changed. Put back a copy of " +
                $"{Names}, or move them away to begin without what they hold"
                + (isLoss ? "; 'orchestrator journal accept' goes on with what can still be read" : ""),
                exception)
            {
                IsLoss = isLoss,
            };
        }
    }

    // The space that SQLite needs to open a journal: on a full disk its shared-memory index fails first, and SQLite reports that as an I/O
    // error.
    private static bool HasNoRoom(string path) => new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace < 256 * 1_024;
}
