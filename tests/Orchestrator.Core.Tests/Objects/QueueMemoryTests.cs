using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Tests that measure the heap run alone: it also holds the garbage of other tests.</summary>
[CollectionDefinition(nameof(MeasuresTheHeap), DisableParallelization = true)]
public sealed class MeasuresTheHeap;

/// <summary>The memory of a queued item besides its payload, and that taking the item frees it.</summary>
[Collection(nameof(MeasuresTheHeap))]
public sealed class QueueMemoryTests
{
    private const int Items = 200_000;

    [Theory]
    [InlineData(QueueKind.Fifo)]
    [InlineData(QueueKind.Lifo)]
    [InlineData(QueueKind.Priority)]
    public void A_queued_item_takes_little_more_than_its_record(QueueKind kind)
    {
        // The runner still holds objects of the tests before while it reports them: they have gone after the first round, which is not
        // judged.
        Measure(kind);
        var (perItem, left) = Measure(kind);
        // The lower bound leaves room for a megabyte of the runner's own that is freed meanwhile, as the next line does.
        Assert.InRange(perItem, 35, 44);
        Assert.InRange(left, -1_000_000, 200_000);
    }

    private static (double PerItem, long Left) Measure(QueueKind kind)
    {
        var harness = new ObjectHarness();
        harness.CreateQueue(new QueueSpec("q", kind) { MaxItems = Items });
        var body = new object();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Items; i += 500)
            harness.Apply(new PutItems(
                "q", [.. Enumerable.Range(i, 500).Select(number => new PutItem(new Content(body, 64), number * 7919 % 1_000))]));
        var perItem = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Items;
        for (var i = 0; i < Items; i += 500)
            harness.Get("q", 500);
        harness.Completed.Clear();
        harness.Effects.Clear();
        var left = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(harness);
        return (perItem, left);
    }
}
