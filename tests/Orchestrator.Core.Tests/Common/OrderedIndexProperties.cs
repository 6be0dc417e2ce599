using CsCheck;
using Orchestrator.Core.Common;

namespace Orchestrator.Core.Tests.Common;

/// <summary>The ordered index against a sorted dictionary, with enough items for many blocks.</summary>
public sealed class OrderedIndexProperties
{
    private enum Step
    {
        AddInOrder,
        AddReversed,
        AddScattered,
        RemoveRange,
        RemoveScattered,
    }

    [Fact]
    public void It_holds_the_items_in_order_after_any_adds_and_removals() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3_000], Gen.Int[1, 900], Gen.Int[0, 3_100]).Array[1, 25].Sample(
            steps =>
            {
                var index = new OrderedIndex<int, string>(Comparer<int>.Default);
                var model = new SortedDictionary<int, string>();
                foreach (var (step, start, count, probe) in steps)
                {
                    foreach (var key in Keys((Step)step, start, count))
                        Apply((Step)step, key, index, model);
                    Assert.Equal(model.Count, index.Count);
                    Assert.Equal(model.Where(item => item.Key >= probe).Select(item => item.Value), index.From(probe, isAfter: false));
                    var following = model.Where(item => item.Key > probe).Select(item => item.Value);
                    Assert.Equal(following.Take(10), index.From(probe, isAfter: true).Take(10));
                }
            },
            iter: Iterations.Of(300),
            threads: 2);

    private static IEnumerable<int> Keys(Step step, int start, int count)
    {
        var range = Enumerable.Range(start, count);
        return step switch
        {
            Step.AddReversed => range.Reverse(),
            // 3,001 is prime: each key once.
            Step.AddScattered or Step.RemoveScattered => range.Select(i => (int)(i * 1_234_577L % 3_001)),
            _ => range,
        };
    }

    private static void Apply(Step step, int key, OrderedIndex<int, string> index, SortedDictionary<int, string> model)
    {
        if (step is Step.RemoveRange or Step.RemoveScattered)
        {
            index.Remove(key);
            model.Remove(key);
        }
        else if (model.TryAdd(key, $"{key}"))
        {
            index.Add(key, $"{key}");
        }
    }
}
