namespace Orchestrator.Worker.Tasks;

/// <summary>What kind of work a handler does; it decides the lane in which it runs.</summary>
public enum HandlerKind
{
    /// <summary>Computes: one at a time per worker process, on a dedicated thread.</summary>
    Cpu = 1,

    /// <summary>Awaits: many at a time per worker process, asynchronously.</summary>
    Io = 2,

    /// <summary>Blocks its thread while it waits: a bounded set of threads per worker process.</summary>
    Blocking = 3,
}
