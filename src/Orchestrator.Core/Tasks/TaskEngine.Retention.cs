using Orchestrator.Core.Journal;

namespace Orchestrator.Core.Tasks;

/// <content>How long ended tasks are kept.</content>
public sealed partial class TaskEngine
{
    private void Keep(TaskRecord task, bool given)
    {
        // A result with a request id may be requested again, and not only by the caller that has received it. A task whose code still runs
        // in process must be found when that code returns.
        if (!given || task.Extras?.RequestId is not null || task.Has(TaskFlags.Abandoned))
        {
            Retain(task);
            return;
        }

        for (var evicted = _delivered.Add(task); evicted is not null; evicted = _delivered.Add(null))
            Forget(evicted);
    }

    private void Retain(TaskRecord task)
    {
        task.Set(TaskFlags.Retained);
        _context.Usage.AddRetained(task);
        _context.Deadlines.Set(task, task.EndedAt + (task.Policy.ResultTtl ?? _context.Options.ResultTtl).Ticks);
    }

    private void Forget(TaskRecord task)
    {
        _context.Tasks.Remove(task);
        if (task.Extras is { History: { } history } extras)
        {
            _context.Usage.HistoryBytes -= history.Bytes;
            extras.History = null;
        }

        if (task.IsDurable)
            _context.Changes.Record(task, new TaskForgotten(task.Id));
    }

    private void Expire(TaskRecord task)
    {
        if (task.Has(TaskFlags.Abandoned))
        {
            // Checked again later, whatever the time to live: a deadline of now would keep Tick from ending.
            _context.Deadlines.Set(task, _context.Now + Math.Max(_context.Options.ResultTtl.Ticks, TimeSpan.TicksPerSecond));
            return;
        }

        task.Clear(TaskFlags.Retained);
        _context.Usage.RemoveRetained(task);
        _context.Deadlines.Remove(task);
        Forget(task);
    }
}
