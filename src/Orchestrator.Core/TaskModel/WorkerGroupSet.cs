namespace Orchestrator.Core.TaskModel;

/// <summary>The groups of workers that offer a handler, one bit each; the queues of their tasks belong to the scheduling.</summary>
internal abstract class WorkerGroupSet(ulong groups)
{
    public ulong Groups => groups;

    public bool Includes(WorkerNode worker) => (groups & worker.GroupBit) != 0;
}
