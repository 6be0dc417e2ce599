namespace Orchestrator.Client.Contract;

/// <summary>The code that waits for a task's result.</summary>
internal interface IResultContinuation
{
    /// <summary>Continues on this thread, which may take long.</summary>
    void Continue();

    /// <summary>Continues on a thread of the pool.</summary>
    void Post();
}
