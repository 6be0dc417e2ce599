namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>A component that may have messages to write once the engine's lock has been released.</summary>
internal interface IFlushable
{
    /// <summary>Writes the queued items, unless another thread is writing already.</summary>
    /// <param name="alone">Whether no other work waits for the calling thread, so that it may also run the continuations.</param>
    void Flush(bool alone);
}
