using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// The tasks that wait for a worker, each in the one place that its phase names: its ready queue; outside that queue, for a permit or
/// for the worker to which its affinity key is bound; or in no queue, before its handler is known.
/// </summary>
internal sealed class WaitingTasks(TaskEngineContext context, WorkerPools pools)
{
    private readonly ConcurrencyLimiter _concurrency = new();
    private readonly StartRateLimiter _startRates = new();
    private readonly List<TaskRecord> _unresolved = [];

    /// <summary>Adds a task to its ready queue, at the place that its rank gives it.</summary>
    public void Enqueue(TaskRecord task)
    {
        task.Phase = TaskPhase.Ready;
        pools.QueueOf(task).Add(task);
    }

    /// <summary>Adds a task whose handler no worker has announced yet.</summary>
    public void AddUnresolved(TaskRecord task)
    {
        task.Phase = TaskPhase.Unresolved;
        _unresolved.Add(task);
    }

    /// <summary>Takes all such tasks of a pool.</summary>
    public IReadOnlyList<TaskRecord> TakeUnresolved(WorkerPool pool)
    {
        var taken = _unresolved.Where(task => pools.Of(task) == pool).ToArray();
        _unresolved.RemoveAll(task => pools.Of(task) == pool);
        return taken;
    }

    /// <summary>Removes a task that is at no worker from where it waits.</summary>
    public void Remove(TaskRecord task)
    {
        switch (task.Phase)
        {
            case TaskPhase.Ready:
                pools.QueueOf(task).Remove(task);
                break;
            case TaskPhase.AwaitingConcurrency:
                _concurrency.Remove(task, pools.QueueOf(task).RankOf(task));
                break;
            case TaskPhase.AwaitingStartRate:
                _startRates.Remove(task);
                break;
            case TaskPhase.Pinned:
                Unpin(task);
                break;
            case TaskPhase.Unresolved:
                _unresolved.Remove(task);
                break;
        }
    }

    /// <summary>Takes the permits that a task needs to start; a task that has to wait for one waits outside its queue.</summary>
    public bool TryTakePermits(TaskRecord task, ReadyQueue queue) =>
        (!ConcurrencyLimiter.Concerns(task) && !StartRateLimiter.Concerns(task)) || TryTake(task, queue);

    /// <summary>Returns the permit of a task's concurrency key, if the task holds it itself.</summary>
    public void ReturnOwnPermit(TaskRecord task)
    {
        if (task.Has(TaskFlags.HoldsPermit))
            ReturnPermit(task);
    }

    /// <summary>Returns the permit of a task's concurrency key, which the task holds or its worker holds for it.</summary>
    public void ReturnPermit(TaskRecord task)
    {
        // Usually one; more if the limit was raised while they waited.
        for (var next = _concurrency.Leave(task); next is not null; next = _concurrency.Admit(task))
            Enqueue(next);
    }

    /// <summary>Passes a task's unused permit of its rate limiter on, if it holds one.</summary>
    public void PassOnRatePermit(TaskRecord task)
    {
        if (task.Has(TaskFlags.HoldsRatePermit) && _startRates.PassOn(task, context.Effects) is { } next)
            Enqueue(next);
    }

    /// <summary>A requested permit was granted: the task that gets it returns to its queue, at its old place.</summary>
    public void OnPermitGranted(PermitQueue queue)
    {
        if (_startRates.Grant(queue, context.Effects) is { } task)
            Enqueue(task);
    }

    /// <summary>Takes the tasks that wait for a permit which will not be granted.</summary>
    public IReadOnlyList<TaskRecord> TakeRefused(PermitQueue queue) => _startRates.Close(queue);

    /// <summary>Lets a task wait for one worker.</summary>
    public void Pin(TaskRecord task, WorkerNode worker, int lane)
    {
        // Its worker has become busy since then: other tasks need not wait for that worker.
        PassOnRatePermit(task);
        task.Phase = TaskPhase.Pinned;
        task.Worker = worker;
        pools.Of(worker).Pinned++;
        (worker.Pinned[lane] ??= []).Add(new RankedTask(pools.QueueOf(task).RankOf(task), task.Id, task));
    }

    public void Unpin(TaskRecord task)
    {
        var worker = task.Worker!;
        var lane = pools.Of(worker).LaneOf(task.Handler.Kind);
        pools.Of(worker).Pinned--;
        worker.Pinned[lane]!.Remove(new RankedTask(pools.QueueOf(task).RankOf(task), task.Id, task));
        task.Worker = null;
    }

    /// <summary>Takes all tasks that wait for one worker.</summary>
    public IReadOnlyList<TaskRecord> TakePinned(WorkerNode worker)
    {
        List<TaskRecord> taken = [];
        for (var lane = 0; lane < worker.Pinned.Length; lane++)
        {
            foreach (var item in worker.Pinned[lane] ?? [])
            {
                item.Task.Worker = null;
                pools.Of(worker).Pinned--;
                taken.Add(item.Task);
            }

            worker.Pinned[lane] = null;
        }

        return taken;
    }

    private bool TryTake(TaskRecord task, ReadyQueue queue)
    {
        if (ConcurrencyLimiter.Concerns(task) && !task.Has(TaskFlags.HoldsPermit) && !_concurrency.TryEnter(task))
        {
            task.Phase = TaskPhase.AwaitingConcurrency;
            _concurrency.Enqueue(task, queue.RankOf(task));
            return false;
        }

        if (StartRateLimiter.Concerns(task))
        {
            if (!task.Has(TaskFlags.HoldsRatePermit))
            {
                task.Phase = TaskPhase.AwaitingStartRate;
                _startRates.Enqueue(task, queue, context.Effects);
                return false;
            }

            _startRates.Use(task, context.Effects);
        }

        return true;
    }
}
