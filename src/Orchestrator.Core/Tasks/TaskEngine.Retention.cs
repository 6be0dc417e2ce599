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
        _retained++;
        _payloadBytes += task.OutputBytes + task.ExtraBytes;
        _deadlines.Set(task, task.EndedAt + (task.Policy.ResultTtl ?? _options.ResultTtl).Ticks);
    }

    private void Forget(TaskRecord task)
    {
        _tasks.Remove(task);
        if (task.Extras is { History: { } history } extras)
        {
            _historyBytes -= history.Bytes;
            extras.History = null;
        }

        if (IsDurable(task))
            Record(task, new TaskForgotten(task.Id));
    }

    private void Expire(TaskRecord task)
    {
        if (task.Has(TaskFlags.Abandoned))
        {
            // Checked again later, whatever the time to live: a deadline of now would keep Tick from ending.
            _deadlines.Set(task, _now + Math.Max(_options.ResultTtl.Ticks, TimeSpan.TicksPerSecond));
            return;
        }

        task.Clear(TaskFlags.Retained);
        _retained--;
        _payloadBytes -= task.OutputBytes + task.ExtraBytes;
        _deadlines.Remove(task);
        Forget(task);
    }
}
