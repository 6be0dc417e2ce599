using CsCheck;
using Orchestrator.Coordinator.Services.Objects;

namespace Orchestrator.Coordinator.Tests.Services;

/// <summary>Which held operation awaits which, against a plain list.</summary>
public sealed class HeldOperationsTests
{
    [Fact]
    public void What_is_held_released_and_dropped_is_as_in_a_plain_list() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 100].Sample(Play, iter: 500, threads: 2);

    [Fact]
    public void Recent_operations_are_the_last_ones_with_their_last_value()
    {
        Gen.Int[0, 400].Array[0, 1_000].Sample(
            ids =>
            {
                var recent = new RecentOperations<int>();
                for (var i = 0; i < ids.Length; i++)
                    recent.Add((ulong)ids[i], i);
                var kept = ids.Length <= 16 ? 0 : ids.Length - RecentOperations<int>.Maximum;
                foreach (var id in Enumerable.Range(0, 401))
                {
                    var last = Array.LastIndexOf(ids, id);
                    Assert.Equal(last >= kept && last >= 0, recent.TryFind((ulong)id, out var found));
                    if (last >= kept && last >= 0)
                        Assert.Equal(last, found);
                }
            },
            iter: 200,
            threads: 2);
    }

    private static void Play((int Op, int A, int B)[] steps)
    {
        var held = new HeldOperations();
        var model = new List<HeldOperation>();
        var last = 10UL;
        foreach (var (op, a, b) in steps)
        {
            var one = model.Count == 0 ? null : model[a % model.Count];
            if (op <= 5 || one is null)
            {
                // After one that is held, or one that is not.
                var after = op % 2 == 0 && one is not null ? one.Id : (ulong)(b % 10) + 1;
                var added = new HeldOperation(new ReadyOperation(++last, null, null, null), after);
                held.Hold(added);
                Assert.Equal(model.Find(other => other.Id == after)?.Root ?? after, added.Root);
                model.Add(added);
            }
            else if (op <= 7)
            {
                held.Release(one);
                model.Remove(one);
            }
            else
            {
                var expected = new List<HeldOperation> { one };
                for (var i = 0; i < expected.Count; i++)
                    expected.AddRange(model.Where(other => other.After == expected[i].Id));
                Assert.Equal(expected, held.Drop(one));
                model.RemoveAll(expected.Contains);
            }

            Assert.Equal(model.Count, held.Count);
            for (var id = 1UL; id <= last; id++)
                Assert.Same(model.Find(other => other.Id == id), held.Find(id));
        }

        Assert.Equal(model.Select(operation => operation.Id).Order(), held.Clear().Select(operation => operation.Id).Order());
        Assert.Equal(0, held.Count);
    }
}
