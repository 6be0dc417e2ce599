using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

public sealed class PeekTests
{
    private static readonly Gen<(QueueKind Kind, int[] Priorities, int Returned)> Cases = Gen.Select(
        Gen.Int[0, 2].Select(kind => (QueueKind)(kind + 1)), Gen.Int[0, 9].Array[0, 1_200], Gen.Int[0, 20]);

    [Fact]
    public void What_is_shown_is_what_is_delivered_next_and_nothing_is_taken() => Cases.Sample(
        item =>
        {
            var harness = new ObjectHarness();
            harness.CreateQueue(new QueueSpec("q", item.Kind) { MaxItems = 10_000 });
            foreach (var part in item.Priorities.Chunk(500))
                harness.Apply(new PutItems("q", [.. part.Select(priority => new PutItem(new Content("x", 1), priority))]));
            // Some come back to the front.
            if (item.Returned > 0 && item.Priorities.Length > 0)
            {
                var session = harness.Session("taker");
                harness.Apply(new GetItems("q", item.Returned, Leased: true) { Session = session });
                harness.End(session);
            }

            var shown = harness.View.PeekQueue("q", 20)!.Select(next => next.Sequence).ToArray();
            Assert.Equal(item.Priorities.Length, harness.View.FindQueue("q", harness.Now)!.ReadyItems);
            Assert.Equal(Math.Min(20, item.Priorities.Length), shown.Length);
            Assert.Equal(shown, shown.Select(_ => harness.Get("q", 1).Get<GetOutcome>().Items[0].Sequence));
        },
        iter: Iterations.Of(200));

    [Fact]
    public void There_is_nothing_to_show_of_a_queue_that_does_not_exist() => Assert.Null(new ObjectHarness().View.PeekQueue("q", 20));

    [Fact]
    public void The_fullest_queues_come_first()
    {
        var harness = new ObjectHarness();
        for (var i = 0; i < 100; i++)
        {
            harness.CreateQueue(new QueueSpec($"q{i}", QueueKind.Fifo) { MaxItems = 1_000 });
            if (i * 7 % 100 is > 0 and var items)
                harness.Apply(new PutItems($"q{i}", [.. Enumerable.Repeat(new PutItem(new Content("x", 1)), items)]));
        }

        var fullest = harness.View.FullestQueues(10, harness.Now);
        Assert.Equal(Enumerable.Range(90, 10).Reverse().Select(items => (long)items), fullest.Select(queue => queue.ReadyItems));
        Assert.Equal(100, harness.View.FullestQueues(1_000, harness.Now).Count);
    }
}
