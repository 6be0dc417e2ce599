namespace Orchestrator.Coordinator.Journal;

/// <summary>The journal cannot be read or opened. The message says which file, where in it, and what can be done.</summary>
public sealed class JournalException : IOException
{
    /// <summary>Creates one.</summary>
    public JournalException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }

    /// <summary>Whether what is left can be read and is only less than there was, so that an operator may decide to go on with it.</summary>
    public bool IsLoss { get; init; }
}
