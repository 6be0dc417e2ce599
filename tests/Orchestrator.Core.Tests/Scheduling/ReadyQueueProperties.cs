using CsCheck;
using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Scheduling;

/// <summary>The ready queue against a list that is sorted anew at each step.</summary>
public sealed class ReadyQueueProperties
{
    private static readonly HandlerProfile Handler = new("cpu", WorkKind.Cpu, null);
    private static readonly long Second = TimeSpan.FromSeconds(1).Ticks;

    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 300];

    [Fact]
    public void Without_keys_it_is_the_list_sorted_by_rank_and_acceptance() =>
        Gen.Select(Steps, Gen.Bool).Sample(
            (steps, aging) => Compare(steps, aging ? Second : 0, keys: 1), iter: Iterations.Of(700), threads: 2);

    [Fact]
    public void With_keys_it_is_the_list_sorted_by_rank_virtual_time_and_acceptance() =>
        Gen.Select(Steps, Gen.Bool).Sample(
            (steps, aging) => Compare(steps, aging ? Second : 0, keys: 4), iter: Iterations.Of(700), threads: 2);

    private static void Compare((int Op, int A, int B)[] steps, long aging, int keys)
    {
        var queue = new ReadyQueue(aging);
        var model = new NaiveQueue(aging);
        var taken = new List<TaskRecord>();
        var now = 0L;
        foreach (var (op, a, b) in steps)
        {
            switch (op)
            {
                case <= 3:
                    now += b % 3 * Second / 2;
                    var task = new TaskRecord(model.NextId, Handler, Policy(a, b, keys), null, 0) { AcceptedAt = now };
                    queue.Add(task);
                    model.Add(task, isNew: true);
                    break;
                case <= 6:
                    var next = model.Take();
                    Assert.Same(next, queue.First);
                    Assert.Same(next, queue.Take());
                    if (next is not null)
                        taken.Add(next);
                    break;
                case 7 or 8 when model.Tasks.Count > 0:
                    var cancelled = model.Tasks[a % model.Tasks.Count];
                    queue.Remove(cancelled);
                    model.Remove(cancelled);
                    break;
                case 9 when taken.Count > 0:
                    // Returned by its worker.
                    var returned = taken[a % taken.Count];
                    taken.Remove(returned);
                    queue.Add(returned);
                    model.Add(returned, isNew: false);
                    break;
            }

            Assert.Equal(model.Tasks.Count, queue.Count);
            Assert.Same(model.First(), queue.First);
        }
    }

    private static TaskPolicy Policy(int a, int b, int keys) => TaskPolicy.Default with
    {
        Priority = (a % 5) - 2,
        FairnessKey = keys == 1 ? "" : $"key-{b % keys}",
        // One weight per key: conflicting weights of one key are not tested here.
        FairnessWeight = keys == 1 ? 1 : 1 + (b % keys),
    };

    /// <summary>The reference model.</summary>
    private sealed class NaiveQueue(long aging)
    {
        private readonly Dictionary<(int Priority, string Key), double> _passes = [];
        private readonly Dictionary<int, double> _levels = [];
        private readonly HashSet<TaskRecord> _charged = [];

        public List<TaskRecord> Tasks { get; } = [];

        public long NextId { get; private set; } = 1;

        public void Add(TaskRecord task, bool isNew)
        {
            if (isNew)
                NextId++;
            var (priority, key) = (task.Policy.Priority, task.Policy.FairnessKey);
            var level = _levels.GetValueOrDefault(priority);
            // A key that becomes active again starts at the others' position, unless it is ahead of them.
            if (!Tasks.Exists(other => other.Policy.Priority == priority && other.Policy.FairnessKey == key))
                _passes[(priority, key)] = Math.Max(_passes.GetValueOrDefault((priority, key), level), level);
            Tasks.Add(task);
        }

        public TaskRecord? First() => Tasks
            .GroupBy(task => task.Policy.Priority)
            .Select(level => level
                .OrderBy(task => _passes[(level.Key, task.Policy.FairnessKey)])
                .ThenBy(task => task.Policy.FairnessKey, StringComparer.Ordinal)
                .ThenBy(task => task.Id)
                .First())
            .OrderBy(task => aging > 0 ? task.AcceptedAt - (task.Policy.Priority * aging) : -(long)task.Policy.Priority)
            .ThenByDescending(task => task.Policy.Priority)
            .FirstOrDefault();

        public TaskRecord? Take()
        {
            if (First() is not { } task)
                return null;
            Tasks.Remove(task);
            var (priority, key) = (task.Policy.Priority, task.Policy.FairnessKey);
            if (_charged.Add(task))
            {
                _levels[priority] = Math.Max(_levels.GetValueOrDefault(priority), _passes[(priority, key)]);
                _passes[(priority, key)] += 1 / task.Policy.FairnessWeight;
            }

            Forget(priority);
            return task;
        }

        public void Remove(TaskRecord task)
        {
            Tasks.Remove(task);
            Forget(task.Policy.Priority);
        }

        /// <summary>With an empty queue fairness has no history to keep; only the common priority 0 keeps it.</summary>
        private void Forget(int priority)
        {
            if (priority == 0 || Tasks.Exists(other => other.Policy.Priority == priority))
                return;
            _levels.Remove(priority);
            foreach (var key in _passes.Keys.Where(key => key.Priority == priority).ToArray())
                _passes.Remove(key);
        }
    }
}
