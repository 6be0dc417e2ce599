namespace Orchestrator.Coordinator.Journal;

/// <summary>One coordinator at a time writes a journal. The lock is the kernel's: it ends with the process, however that ends.</summary>
internal static class JournalFileLock
{
    /// <summary>What the journal's name has appended.</summary>
    public const string Suffix = ".lock";

    /// <summary>Takes the lock beside the journal; disposing of it gives it back.</summary>
    /// <exception cref="JournalException">Somebody else has it, or the directory cannot be written.</exception>
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
            throw new JournalException($"the journal '{journal}' cannot be locked, another coordinator uses this data directory: {exception.Message}", exception);
        }
    }
}
