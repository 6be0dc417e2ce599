namespace Orchestrator.Coordinator.Journal;

/// <summary>The journal cannot be read or opened. The message names the file, the place in it, and the remedy.</summary>
public sealed class JournalException : IOException
{
    /// <summary>Creates one.</summary>
    public JournalException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }

    /// <summary>
    /// Whether the rest of the journal is readable and merely incomplete, so that an operator may decide to continue with it.
    /// </summary>
    public bool IsLoss { get; init; }
}
