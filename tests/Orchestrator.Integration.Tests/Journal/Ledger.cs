using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// The requests of clients and their responses, over the runs of several coordinators; and whether the final state agrees with them.
/// </summary>
internal sealed class Ledger
{
    /// <summary>The value that clients increment.</summary>
    public const string Counter = "count";

    private const int AnswersPerRound = 5;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _begun = [];
    private readonly HashSet<string> _put = [];
    private readonly HashSet<string> _settling = [];
    private readonly HashSet<string> _settled = [];
    private readonly Dictionary<ulong, (int Input, bool MayRepeat)> _tasks = [];
    private readonly HashSet<ulong> _checked = [];
    private TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int[] _goal = new int[4];
    private long _adding;
    private long _lastAdded;

    public void Begin(string name) => Locked(() => _begun.Add(name));

    public void Put(string name) => Locked(() => _put.Add(name));

    /// <summary>The item was delivered, and no settlement of it was acknowledged yet: an acknowledged one is final.</summary>
    public void Settling(string name) => Locked(() =>
    {
        Assert.Contains(name, _begun);
        Assert.DoesNotContain(name, _settled);
        _settling.Add(name);
    });

    public void Settled(string name, int settled) => Locked(() =>
    {
        Assert.Equal(1, settled);
        Assert.True(_settled.Add(name), $"{name} was settled twice");
    });

    public void Adding() => Locked(() => _adding++);

    public void Added(long after) => Locked(() =>
    {
        Assert.True(after > _lastAdded, $"the counter went from {_lastAdded} to {after}");
        _lastAdded = after;
    });

    public void Submitted(ulong id, int input, bool mayRepeat) =>
        Locked(() => Assert.True(!_checked.Contains(id) && _tasks.TryAdd(id, (input, mayRepeat)), $"the id {id} was given twice"));

    /// <summary>Waits until each kind of client has had some more responses.</summary>
    public Task WaitForAnswersAsync()
    {
        Locked(() =>
        {
            _goal = [.. Counts().Select(count => count + AnswersPerRound)];
            _answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        });
        return _answered.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Compares all of it with the actual state. Empties the queue.</summary>
    public async Task CheckAsync(CoordinatorProcess coordinator)
    {
        await CheckTasksAsync(coordinator);
        await CheckCounterAsync(coordinator);
        await CheckQueueAsync(coordinator);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        lock (_gate)
            return $"{_put.Count} items put and {_settled.Count} settled, {_lastAdded} additions, {Counts()[^1]} tasks";
    }

    /// <summary>Every acknowledged task ends: with its result, or lost where it may have run and must not run again.</summary>
    /// <param name="coordinator">The coordinator of the tasks.</param>
    /// <param name="once">Whether to check each task only once, so that later checks do not take longer.</param>
    public async Task CheckTasksAsync(CoordinatorProcess coordinator, bool once = false)
    {
        foreach (var ids in _tasks.Keys.Chunk(1_000).ToArray())
        {
            var done = await coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { ids } }, CoordinatorProcess.Deadline(60));
            Assert.Empty(done.PendingTaskIds);
            Assert.Equal(ids.Length, done.Done.Count);
            foreach (var result in done.Done)
            {
                var (input, mayRepeat) = _tasks[result.TaskId];
                if (result.State != TaskState.WorkerLost || mayRepeat)
                {
                    Assert.True(result.State == TaskState.Succeeded, $"task {result.TaskId}: {result}");
                    Assert.Equal(input, result.Output.Json.NumberValue);
                }

                if (once && _tasks.Remove(result.TaskId))
                    _checked.Add(result.TaskId);
            }
        }
    }

    private async Task CheckCounterAsync(CoordinatorProcess coordinator)
    {
        var count = await new StateService.StateServiceClient(coordinator.Invoker).ReadValueAsync(
            new ReadValueRequest { Value = Counter }, Soon);
        Assert.InRange(count.Current.Integer, _lastAdded, _adding);
    }

    /// <summary>An item that was put and not settled exists once; one whose put was not acknowledged may exist once or not.</summary>
    private async Task CheckQueueAsync(CoordinatorProcess coordinator)
    {
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        var there = new HashSet<string>();
        while (true)
        {
            var taken = await queues.GetAsync(new GetRequest { Queue = "jobs", MaxItems = 1_000, Timeout = Specs.Seconds(0) }, Soon);
            if (taken.Items.Count == 0)
                break;
            foreach (var item in taken.Items)
                Assert.True(there.Add(Read(item.Body)), $"{Read(item.Body)} is there twice");
        }

        Assert.Empty(_put.Except(_settling).Except(there));
        Assert.Empty(there.Intersect(_settled));
        Assert.Empty(there.Except(_begun));
    }

    private int[] Counts() => [_put.Count, _settled.Count, (int)_lastAdded, _tasks.Count + _checked.Count];

    private void Locked(Action action)
    {
        lock (_gate)
        {
            action();
            if (Counts().Zip(_goal).All(pair => pair.First >= pair.Second))
                _answered.TrySetResult();
        }
    }
}
