using CsCheck;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Scheduling;

/// <summary>The deadline heap against a sorted list.</summary>
public sealed class DeadlineHeapProperties
{
    private static readonly HandlerProfile Handler = new("cpu", WorkKind.Cpu, null);

    [Fact]
    public void Its_first_is_the_earliest_after_any_sets_and_removals() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 99], Gen.Int[0, 50]).Array[1, 500].Sample(
            steps =>
            {
                var tasks = Enumerable.Range(1, 100).Select(id => new TaskRecord(id, Handler, TaskPolicy.Default, null, 0)).ToArray();
                var heap = new DeadlineHeap<TaskRecord>();
                var model = new SortedSet<(long Deadline, long Id)>();
                foreach (var (op, which, deadline) in steps)
                {
                    var task = tasks[which];
                    model.RemoveWhere(item => item.Id == task.Id);
                    if (op == 0)
                    {
                        heap.Remove(task);
                    }
                    else
                    {
                        // "Never" removes it.
                        heap.Set(task, deadline == 50 ? long.MaxValue : deadline);
                        if (deadline != 50)
                            model.Add((deadline, task.Id));
                    }

                    Assert.Equal(model.Count, heap.Count);
                    Assert.Equal(model.Count == 0 ? null : model.Min.Id, heap.First?.Id);
                }

                foreach (var (_, id) in model.ToArray())
                {
                    Assert.Equal(id, heap.First!.Id);
                    heap.Remove(heap.First);
                }

                Assert.Null(heap.First);
            },
            iter: Iterations.Of(700),
            threads: 2);
}
