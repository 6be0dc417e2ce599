using Orchestrator.TestKit.History;

namespace Orchestrator.Integration.Tests.History;

/// <summary>
/// The checker itself: hand-written histories with the smallest fault that each model must find, and similar legal histories.
/// </summary>
public sealed class IllegalHistoryTests
{
    private const string Known = "known";

    // Each step: client, kind, argument, result (null: unknown), invoked, returned.
    private static readonly (string Client, string Kind, string Argument, string? Result, long Invoked, long Returned)[] s_twoPuts =
        [("p", QueueModel.Put, "a", QueueModel.Ok, 0, 1), ("p", QueueModel.Put, "b", QueueModel.Ok, 2, 3)];

    [Fact]
    public void A_queue_gives_in_the_order_of_the_puts()
    {
        Accepts(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", "a", 4, 5), ("g", QueueModel.Get, "", "b", 6, 7)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", "b", 4, 5), ("g", QueueModel.Get, "", "a", 6, 7)]);
        // Concurrent, so either order is possible.
        Accepts(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", "b", 4, 6), ("h", QueueModel.Get, "", "a", 5, 7)]);
    }

    [Fact]
    public void A_queue_neither_loses_nor_repeats_nor_invents()
    {
        Refuses(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", "b", 4, 5)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", QueueModel.Empty, 4, 5)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", "a", 4, 5), ("h", QueueModel.Get, "", "a", 6, 7)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, ("g", QueueModel.Get, "", "c", 4, 5)]);
    }

    [Fact]
    public void A_queue_keeps_its_bound()
    {
        Accepts(new QueueModel(2), [.. s_twoPuts, ("p", QueueModel.Put, "c", QueueModel.Full, 4, 5)]);
        Refuses(new QueueModel(2), [.. s_twoPuts, ("p", QueueModel.Put, "c", QueueModel.Ok, 4, 5)]);
        Refuses(new QueueModel(3), [.. s_twoPuts, ("p", QueueModel.Put, "c", QueueModel.Full, 4, 5)]);
    }

    [Fact]
    public void A_put_without_an_answer_may_have_happened_once_at_any_time()
    {
        (string, string, string, string?, long, long) lost = ("p", QueueModel.Put, "a", null, 0, long.MaxValue);
        Accepts(new QueueModel(4), [lost, ("g", QueueModel.Get, "", QueueModel.Empty, 4, 5)]);
        Accepts(new QueueModel(4), [lost, ("g", QueueModel.Get, "", QueueModel.Empty, 4, 5), ("g", QueueModel.Get, "", "a", 6, 7)]);
        Refuses(new QueueModel(4), [lost, ("g", QueueModel.Get, "", "a", 4, 5), ("g", QueueModel.Get, "", "a", 6, 7)]);
        Refuses(new QueueModel(4), [lost with { Item5 = 6 }, ("g", QueueModel.Get, "", "a", 4, 5)]);
    }

    [Fact]
    public void What_the_dead_had_leased_comes_back_first_and_only_then()
    {
        (string, string, string, string?, long, long) leased = ("dead", QueueModel.Lease, "", "a", 4, 5);
        (string, string, string, string?, long, long) end = ("dead", HistoryOperation.SessionEnd, "", "ended", 6, 9);
        Accepts(new QueueModel(4),
            [.. s_twoPuts, leased, end, ("g", QueueModel.Lease, "", "a", 10, 11), ("g", QueueModel.Lease, "", "b", 12, 13)]);
        Accepts(new QueueModel(4),
            [.. s_twoPuts, leased, end, ("g", QueueModel.Lease, "", "b", 7, 8), ("g", QueueModel.Lease, "", "a", 10, 11)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, leased, end, ("g", QueueModel.Lease, "", "b", 10, 11)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, leased, ("g", QueueModel.Lease, "", "a", 10, 11)]);
        // Done in time, it does not come back; too late, it does not count.
        Refuses(new QueueModel(4),
            [.. s_twoPuts, leased, ("dead", QueueModel.Done, "a", QueueModel.Ok, 5, 6), end, ("g", QueueModel.Lease, "", "a", 10, 11)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, leased, end, ("dead", QueueModel.Done, "a", QueueModel.Ok, 10, 11)]);
        Accepts(new QueueModel(4), [.. s_twoPuts, leased, end, ("dead", QueueModel.Done, "a", QueueModel.Stale, 10, 11)]);
    }

    [Fact]
    public void What_a_get_without_an_answer_took_is_removed_or_back_at_its_end_but_not_twice()
    {
        (string, string, string, string?, long, long) lost = ("dead", QueueModel.Get, "", null, 4, long.MaxValue);
        (string, string, string, string?, long, long) end = ("dead", HistoryOperation.SessionEnd, "", "ended", 6, 9);
        Accepts(new QueueModel(4),
            [.. s_twoPuts, lost, end, ("g", QueueModel.Get, "", "b", 10, 11), ("g", QueueModel.Get, "", QueueModel.Empty, 12, 13)]);
        Accepts(new QueueModel(4),
            [.. s_twoPuts, lost, end, ("g", QueueModel.Get, "", "a", 10, 11), ("g", QueueModel.Get, "", "b", 12, 13)]);
        Refuses(new QueueModel(4), [.. s_twoPuts, lost, end, ("g", QueueModel.Get, "", QueueModel.Empty, 10, 11)]);
    }

    [Fact]
    public void A_lock_has_one_holder_and_growing_tokens()
    {
        Accepts(new LockModel(), [("a", LockModel.Acquire, "", "1", 0, 1), ("a", LockModel.Release, "", LockModel.Ok, 2, 3),
            ("b", LockModel.Acquire, "", "2", 4, 5)]);
        Refuses(new LockModel(), [("a", LockModel.Acquire, "", "1", 0, 1), ("b", LockModel.Acquire, "", "2", 2, 3)]);
        Refuses(new LockModel(), [("a", LockModel.Acquire, "", "1", 0, 1), ("b", LockModel.Acquire, "", "2", 2, 3),
            ("a", LockModel.Release, "", LockModel.Ok, 4, 5)]);
        Refuses(new LockModel(), [("a", LockModel.Acquire, "", "1", 0, 1), ("a", LockModel.Release, "", LockModel.Ok, 2, 3),
            ("b", LockModel.Acquire, "", "1", 4, 5)]);
        Refuses(new LockModel(), [("a", LockModel.Acquire, "", LockModel.Timeout, 0, 1)]);
    }

    [Fact]
    public void A_dead_holder_gives_the_lock_back_when_its_session_ends_and_not_before()
    {
        (string, string, string, string?, long, long) lost = ("dead", LockModel.Acquire, "", null, 0, long.MaxValue);
        (string, string, string, string?, long, long) end = ("dead", HistoryOperation.SessionEnd, "", "ended", 6, 9);
        Accepts(new LockModel(),
            [lost, ("b", LockModel.Acquire, "", LockModel.Timeout, 2, 3), end, ("b", LockModel.Acquire, "", "2", 10, 11)]);
        // Before the grant the session's end would return nothing: the checker must not place it there merely because it is possible.
        Accepts(new LockModel(), [lost, end with { Item5 = 1 }, ("b", LockModel.Acquire, "", LockModel.Timeout, 2, 3),
            ("b", LockModel.Acquire, "", "2", 10, 11)]);
        // If it was granted, its token was 1.
        Refuses(new LockModel(),
            [lost, ("b", LockModel.Acquire, "", LockModel.Timeout, 2, 3), end, ("b", LockModel.Acquire, "", "1", 10, 11)]);
        Refuses(new LockModel(), [("dead", LockModel.Acquire, "", "1", 0, 1), end, ("b", LockModel.Acquire, "", "2", 3, 4)]);
    }

    [Fact]
    public void A_semaphore_has_no_more_permits_than_it_has()
    {
        Accepts(new SemaphoreModel(2), [("a", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 0, 1),
            ("b", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 2, 3), ("a", SemaphoreModel.Release, "", "1", 4, 5)]);
        Refuses(new SemaphoreModel(1),
            [("a", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 0, 1), ("b", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 2, 3)]);
        Refuses(new SemaphoreModel(2),
            [("a", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 0, 1), ("b", SemaphoreModel.Acquire, "", SemaphoreModel.Timeout, 2, 3)]);
        Refuses(new SemaphoreModel(2),
            [("a", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 0, 1), ("a", SemaphoreModel.Release, "", "3", 4, 5)]);
        Refuses(new SemaphoreModel(2), [("a", SemaphoreModel.Release, "", "2", 4, 5)]);
        Accepts(new SemaphoreModel(1), [("a", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 0, 1),
            ("a", HistoryOperation.SessionEnd, "", "ended", 2, 3), ("b", SemaphoreModel.Acquire, "", SemaphoreModel.Ok, 4, 5)]);
    }

    [Fact]
    public void A_register_changes_where_the_version_is_the_expected_one_and_is_never_read_old()
    {
        (string, string, string, string?, long, long)[] set =
            [("a", RegisterModel.Set, "x", "1", 0, 1), ("a", RegisterModel.CompareAndSet, "y@1", "2", 2, 3)];
        Accepts(new RegisterModel(),
            [.. set, ("b", RegisterModel.Read, "", "y@2", 4, 5), ("b", RegisterModel.CompareAndSet, "z@1", RegisterModel.Stale, 6, 7)]);
        Refuses(new RegisterModel(), [.. set, ("b", RegisterModel.Read, "", "x@1", 4, 5)]);
        Refuses(new RegisterModel(), [.. set, ("b", RegisterModel.CompareAndSet, "z@1", "3", 4, 5)]);
        Refuses(new RegisterModel(), [.. set, ("b", RegisterModel.CompareAndSet, "z@2", RegisterModel.Stale, 4, 5)]);
        // Two operations with one expected version cannot both have succeeded.
        Refuses(new RegisterModel(),
            [.. set, ("b", RegisterModel.CompareAndSet, "z@2", "3", 4, 9), ("c", RegisterModel.CompareAndSet, "w@2", "3", 4, 9)]);
    }

    [Fact]
    public void A_counter_loses_and_repeats_no_addition()
    {
        Accepts(new CounterModel(), [("a", CounterModel.Add, "2", "5", 0, 3), ("b", CounterModel.Add, "3", "3", 1, 2)]);
        Refuses(new CounterModel(), [("a", CounterModel.Add, "2", "2", 0, 3), ("b", CounterModel.Add, "3", "3", 1, 2)]);
        Refuses(new CounterModel(), [("a", CounterModel.Add, "2", "2", 0, 1), ("b", CounterModel.Read, "", "0", 2, 3)]);
        Accepts(new CounterModel(), [("a", CounterModel.Add, "2", null, 0, long.MaxValue), ("b", CounterModel.Read, "", "0", 2, 3),
            ("b", CounterModel.Read, "", "2", 4, 5)]);
        Refuses(new CounterModel(), [("a", CounterModel.Add, "2", null, 0, long.MaxValue), ("b", CounterModel.Read, "", "4", 2, 3)]);
    }

    [Fact]
    public void A_search_that_is_given_up_says_so()
    {
        // Concurrent puts whose order no get reveals.
        var history = Enumerable.Range(0, 12).Select(i => new HistoryOperation($"c{i}", "q", QueueModel.Put, $"{i}", QueueModel.Ok, 0, 100))
            .Append(new HistoryOperation("g", "q", QueueModel.Get, "", "nothing", 200, 300));
        Assert.Equal(HistoryOutcome.Undecided, LinearizabilityChecker.Check(history, new QueueModel(20), maxConfigurations: 1_000).Outcome);
    }

    [Fact]
    public void Effects_are_counted_by_name()
    {
        var queue = History([.. s_twoPuts, ("g", QueueModel.Get, "", "b", 4, 5), ("g", QueueModel.Get, "", "b", 6, 7),
            ("g", QueueModel.Get, "", "c", 8, 9)]);
        var faults = EffectCounts.OfQueue(queue);
        Assert.Equal(3, faults.Count);
        Assert.Contains(faults, fault => fault.Contains("b was taken 2 times", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("c was taken, and was never put", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.EndsWith("unseen: a", StringComparison.Ordinal));
        Assert.Empty(EffectCounts.OfQueue(
            History([.. s_twoPuts, ("g", QueueModel.Get, "", "b", 4, 5), ("dead", QueueModel.Get, "", null, 4, long.MaxValue)])));
        Assert.Single(EffectCounts.OfCounter(History([("a", CounterModel.Add, "2", "2", 0, 1), ("b", CounterModel.Read, "", "4", 2, 3)])));
        Assert.Empty(EffectCounts.OfCounter(History([("a", CounterModel.Add, "2", null, 0, 1), ("b", CounterModel.Read, "", "2", 2, 3)])));
    }

    private static void Accepts<TState>(HistoryModel<TState> model, (string, string, string, string?, long, long)[] steps)
        where TState : notnull
    {
        var verdict = LinearizabilityChecker.Check(History(steps), model);
        Assert.True(verdict.Outcome == HistoryOutcome.Linearizable, verdict.Explanation);
    }

    private static void Refuses<TState>(HistoryModel<TState> model, (string, string, string, string?, long, long)[] steps)
        where TState : notnull =>
        Assert.Equal(HistoryOutcome.Violation, LinearizabilityChecker.Check(History(steps), model).Outcome);

    private static HistoryOperation[] History(
        (string Client, string Kind, string Argument, string? Result, long Invoked, long Returned)[] steps) =>
        [.. steps.Select(
            step => new HistoryOperation(step.Client, Known, step.Kind, step.Argument, step.Result, step.Invoked, step.Returned))];
}
