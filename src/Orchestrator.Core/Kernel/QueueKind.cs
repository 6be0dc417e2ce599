namespace Orchestrator.Core.Kernel;

/// <summary>The order in which a queue delivers its items; the numbers are those of <c>orchestrator.v1.QueueKind</c>.</summary>
public enum QueueKind : byte
{
    /// <summary>First in, first out.</summary>
    Fifo = 1,

    /// <summary>Last in, first out.</summary>
    Lifo = 2,

    /// <summary>Smallest priority first, equal ones in the order of arrival.</summary>
    Priority = 3,
}
