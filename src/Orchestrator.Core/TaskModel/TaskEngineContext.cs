using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// What the parts of the task engine share: the time and the effects of the current pass, the settings, and the tasks with their counts,
/// deadlines and changes. It decides nothing; each part has its own fields beside it.
/// </summary>
internal sealed class TaskEngineContext(TaskEngineOptions options, MemoryShare memory)
{
    public TaskEngineOptions Options => options;

    /// <summary>The time of the current pass, in ticks.</summary>
    public long Now { get; private set; }

    /// <summary>The host's effects, to which the current pass adds.</summary>
    public TaskEffects Effects { get; private set; } = new();

    public TaskTable Tasks { get; } = new(options.LastTaskId);

    public TaskUsage Usage { get; } = new(memory);

    public TaskDeadlines Deadlines { get; } = new();

    /// <summary>The changes of durable tasks.</summary>
    public TaskChangeLog Changes { get; } = new();

    /// <summary>Begins a pass.</summary>
    public void Enter(TimeSpan now, TaskEffects effects)
    {
        // A clock that seems to run backwards (two cores, two threads) must not move the engine's time back.
        Now = Math.Max(Now, now.Ticks);
        Effects = effects;
        Changes.Enter(effects);
    }
}
