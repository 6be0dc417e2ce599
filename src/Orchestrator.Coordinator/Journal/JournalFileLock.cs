namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Ensures that one coordinator at a time writes a journal. The kernel owns the lock: it ends with the process, however the process ends.
/// </summary>
internal static class JournalFileLock
{
    /// <summary>The suffix to the journal's file name.</summary>
    public const string Suffix = ".lock";

    /// <summary>Takes the lock beside the journal; disposing releases it.</summary>
    /// <exception cref="JournalException">Another process holds the lock, or the directory cannot be written.</exception>
    public static FileStream Take(string journal)
    {
        try
        {
            return new FileStream(journal + Suffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new JournalException($"the journal '{journal}' cannot be written: {exception.Message}", exception);
        }
        catch (DirectoryNotFoundException exception)
        {
            throw new JournalException($"the directory of the journal '{journal}' does not exist", exception);
        }
        catch (IOException exception)
        {
            throw new JournalException(
                $"the journal '{journal}' cannot be locked, another coordinator uses this data directory: {exception.Message}", exception);
        }
    }
}
