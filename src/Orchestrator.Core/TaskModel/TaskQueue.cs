namespace Orchestrator.Core.TaskModel;

/// <summary>A queue of ready tasks, as the task that waits in it knows it; its order belongs to the scheduling.</summary>
internal abstract class TaskQueue;
