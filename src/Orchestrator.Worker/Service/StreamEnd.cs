namespace Orchestrator.Worker.Service;

/// <summary>How a stream of orders ended.</summary>
internal enum StreamEnd
{
    /// <summary>Drained: everything was reported.</summary>
    Clean,

    /// <summary>The coordinator has disconnected.</summary>
    Broken,
}
