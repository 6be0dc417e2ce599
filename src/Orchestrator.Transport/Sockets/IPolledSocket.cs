namespace Orchestrator.Transport.Sockets;

/// <summary>A socket that a poller waits for.</summary>
internal interface IPolledSocket
{
    /// <summary>It is ready. Called by one thread at a time, and not again before it is armed again.</summary>
    void OnReady(uint events);

    /// <summary>Its handler has failed: it is of no use any more.</summary>
    void OnFault(Exception fault);

    /// <summary>The handler of its last event has held its thread for a millisecond or two, and goes on.</summary>
    void OnHeldUp();
}
