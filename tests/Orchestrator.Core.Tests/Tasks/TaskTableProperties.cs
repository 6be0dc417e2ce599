using CsCheck;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>The table of tasks against a sorted dictionary, over many pages, some of them empty.</summary>
public sealed class TaskTableProperties
{
    private static readonly HandlerProfile Handler = new("cpu", WorkKind.Cpu, null);

    [Fact]
    public void Tasks_before_an_id_are_listed_newest_first_whatever_has_come_and_gone() =>
        Gen.Select(Gen.Bool, Gen.Int[1, 9_000], Gen.Int[1, 3_000], Gen.Long[-5, 12_000]).Array[1, 12].Sample(
            steps =>
            {
                var table = new TaskTable(0);
                var model = new SortedDictionary<long, TaskRecord>();
                foreach (var (add, start, count, before) in steps)
                {
                    for (long id = start; id < start + count; id++)
                    {
                        if (add && !model.ContainsKey(id))
                            table.Add(model[id] = new TaskRecord(id, Handler, TaskPolicy.Default, null, 0));
                        else if (!add && model.Remove(id, out var gone))
                            table.Remove(gone);
                    }

                    Assert.Equal(model.Count, table.Count);
                    Assert.Equal(model.Values.Where(task => task.Id < before).Reverse(), table.NewestBefore(before));
                    Assert.Equal(model.Values.Reverse(), table.NewestBefore(long.MaxValue));
                }

                // Whoever enumerates may remove what it has got, and the rest of its page.
                var seen = new List<TaskRecord>();
                foreach (var task in table.NewestBefore(long.MaxValue))
                {
                    seen.Add(task);
                    table.Remove(task);
                }

                Assert.Equal(model.Values.Reverse(), seen);
                Assert.Equal(0, table.Count);
                Assert.Empty(table.NewestBefore(long.MinValue));
            },
            iter: Iterations.Of(100),
            threads: 2);
}
