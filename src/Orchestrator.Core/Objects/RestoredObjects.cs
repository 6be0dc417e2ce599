using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>Durable objects as read from a journal, for a restarted engine.</summary>
public sealed class RestoredObjects
{
    /// <summary>Queues.</summary>
    public List<RestoredQueue> Queues { get; } = [];

    /// <summary>Dicts, lists, values and arrays.</summary>
    public List<RestoredState> States { get; } = [];

    /// <summary>Requests that clients may repeat, oldest first.</summary>
    public List<RequestAnswered> Requests { get; } = [];

    /// <summary>The version from which state objects begin.</summary>
    public ulong StateFloor { get; set; }
}
