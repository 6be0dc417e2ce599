using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Part 5, 10 and 26: a repeated request has one effect and the same response; who may repeat it, and for how long.</summary>
public sealed class RequestIdTests
{
    private readonly ObjectHarness _harness = new();
    private readonly ClientObjectQuota _ann = new("ann", "ann");
    private readonly ClientObjectQuota _bob = new("bob", "bob");

    [Fact]
    public void A_repeated_acquire_is_the_same_hold()
    {
        var first = Acquire(_ann, "1").Get<AcquireLockOutcome>();
        Assert.Same(first, Acquire(_ann, "1").Get<AcquireLockOutcome>());
        // Request ids are per client: bob's "1" is another request, and so is ann's "2".
        Assert.NotNull(Acquire(_bob, "1").Wait);
        Assert.NotNull(Acquire(_ann, "2").Wait);
    }

    [Fact]
    public void A_grant_that_one_of_its_callers_got_is_not_given_back_by_the_other()
    {
        var first = Acquire(_ann, "1");
        var again = Acquire(_ann, "1");
        GiveBack(first);
        Assert.NotNull(Acquire(_bob, "").Wait);
        GiveBack(again);
        // The grant reached no caller: the lock is free, and the id is new.
        Assert.Equal(1, _harness.View.ObjectCount);
        Assert.NotNull(Acquire(_ann, "1").Wait);
    }

    [Fact]
    public void While_it_waits_every_call_that_sent_it_gets_the_outcome_and_one_that_goes_takes_nothing_from_the_others()
    {
        var held = Acquire(_bob, "").Get<AcquireLockOutcome>();
        var (first, second, third) = (Acquire(_ann, "1"), Acquire(_ann, "1"), Acquire(_ann, "1"));
        Assert.Equal(1, _harness.View.WaitCount);
        _harness.Abandon(first);
        _harness.Abandon(third);
        Assert.Equal(1, _harness.View.WaitCount);
        var fourth = Acquire(_ann, "1");
        _harness.Release(held.Session, "build");
        Assert.Same(second.Get<AcquireLockOutcome>(), fourth.Get<AcquireLockOutcome>());
        Assert.False(first.HasOutcome || third.HasOutcome);
        GiveBack(second);
        Assert.NotNull(Acquire(_bob, "").Wait);
        // The last caller that might have got it: now bob is served.
        GiveBack(fourth);
        Assert.Equal(0, _harness.View.WaitCount);
    }

    [Fact]
    public void When_all_its_senders_have_disconnected_it_waits_no_more()
    {
        Acquire(_bob, "");
        var (first, second) = (Acquire(_ann, "1"), Acquire(_ann, "1"));
        _harness.Abandon(first);
        _harness.Abandon(second);
        Assert.Equal(0, _harness.View.WaitCount);
    }

    [Theory]
    [InlineData(59, true)]
    [InlineData(60, false)]
    public void Items_that_were_taken_for_good_are_kept_60_s_for_their_id(int seconds, bool isKept)
    {
        Put(2);
        var item = Get("1").Get<GetOutcome>().Items.Single();
        _harness.Advance(TimeSpan.FromSeconds(seconds));
        var again = Get("1").Get<GetOutcome>().Items.Single();
        Assert.Equal(isKept, again.Sequence == item.Sequence);
        Assert.Equal(isKept ? 1 : 0, _harness.View.FindQueue("q", _harness.Now)!.ReadyItems);
    }

    [Fact]
    public void Items_that_reached_none_of_their_callers_are_back_in_the_queue_once()
    {
        Put(1);
        var (first, again) = (Get("1"), Get("1"));
        GiveBack(first);
        Assert.Equal(0, _harness.View.FindQueue("q", _harness.Now)!.ReadyItems);
        GiveBack(again);
        Assert.Equal(1, _harness.View.FindQueue("q", _harness.Now)!.ReadyItems);
        Assert.Equal(1, Get("1").Get<GetOutcome>().Items.Single().Delivery);
    }

    [Fact]
    public void What_is_kept_for_an_id_counts()
    {
        Put(1);
        var before = _harness.View.ReplayBytes;
        Get("1").Get<GetOutcome>();
        Assert.InRange(_harness.View.ReplayBytes - before, 1_000, 2_000);
        _harness.Advance(TimeSpan.FromSeconds(60));
        Get("2");
        Assert.InRange(_harness.View.ReplayBytes, 0, before + 200);
    }

    private Call Acquire(ClientObjectQuota client, string id) =>
        _harness.Apply(new AcquireLock("build") { Client = client, RequestId = id });

    private Call Get(string id) => _harness.Apply(new GetItems("q") { Client = _ann, RequestId = id, Timeout = TimeSpan.Zero });

    private void GiveBack(Call call) => _harness.Apply(new CompensateDelivery(call.Delivery!.Value));

    private void Put(int count)
    {
        _harness.Apply(new CreateQueue(new QueueSpec("q", QueueKind.Fifo))).Get<CreateQueueOutcome>();
        _harness.Apply(new PutItems("q", [.. Enumerable.Range(0, count).Select(_ => new PutItem(new Content(new object(), 1_000)))]))
            .Get<PutOutcome>();
    }
}
