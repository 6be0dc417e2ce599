using CsCheck;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Scheduling;

/// <summary>Request ids are remembered for a window of time and up to a number, the oldest forgotten first.</summary>
public sealed class RequestIdsProperties
{
    private const int Capacity = 8;
    private const long Window = 20;

    [Fact]
    public void It_knows_the_newest_within_the_window_and_no_others() =>
        Gen.Select(Gen.Int[0, 30], Gen.Long[0, 4]).Array[1, 200].Sample(
            steps =>
            {
                var ids = new RequestIds(Capacity, long.MaxValue, Window);
                var model = new List<(string Id, long Task, long At)>();
                var now = 0L;
                foreach (var (which, pause) in steps)
                {
                    now += pause;
                    var id = $"request-{which}";
                    model.RemoveAll(item => item.At + Window <= now);
                    var known = model.Find(item => item.Id == id);
                    Assert.Equal(known.Id is null ? null : known.Task, ids.Find(id, now));
                    if (known.Id is null)
                    {
                        if (model.Count == Capacity)
                            model.RemoveAt(0);
                        model.Add((id, model.Count + now, now));
                        ids.Add(id, model[^1].Task, now);
                    }

                    Assert.Equal(model.Count, ids.Count);
                }
            },
            iter: Iterations.Of(700),
            threads: 2);
}
