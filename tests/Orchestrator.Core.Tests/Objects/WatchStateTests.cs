using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using static Orchestrator.Core.Tests.Objects.StateCalls;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The row of the semantics page on watches, and how shared state is listed and deleted.</summary>
public sealed class WatchStateTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ObjectHarness _harness = Harness(new StateOptions { HistoryChanges = 5 });

    [Fact]
    public void A_watch_gets_every_change_in_order_after_a_version()
    {
        _harness.Dict(Set("a", "1"), Set("b", "1"));
        _harness.Dict(Delete("a"), Set("b", "2", Second));
        _harness.Advance(Second);
        Assert.Equal(["2:b=1", "3:-a", "4:b=2", "5:-b"], Changes(1).Changes.Select(Text));
        var part = Changes(1, most: 2);
        Assert.Equal((3UL, 5UL, 2), (part.ReadTo, part.Version, part.Changes.Count));
        Assert.Empty(Changes(5).Changes);
        var filtered = _harness.View.ReadChanges(ObjectKind.Dict, "d", 0, 9, "a");
        Assert.Equal(["1:a=1", "3:-a"], filtered.Changes.Select(Text));
        Assert.Equal(5UL, filtered.ReadTo);
    }

    [Fact]
    public void What_has_left_the_window_needs_a_snapshot()
    {
        for (var i = 0; i < 7; i++)
            _harness.Dict(Set("a", $"{i}"));
        Assert.True(Changes(1).NeedsSnapshot);
        Assert.Equal(5, Changes(2).Changes.Count);
        // A version that never existed here, as after a restart.
        Assert.True(Changes(8).NeedsSnapshot);
    }

    [Fact]
    public void The_window_is_bounded_in_bytes_over_all_objects()
    {
        var harness = Harness(new StateOptions { MaxHistoryBytes = 1_000 });
        for (var i = 0; i < 100; i++)
            harness.Apply(new UpdateDict($"d{i % 3}", [Set("a", "1")]));
        Assert.InRange(harness.View.StateHistoryBytes, 1, 1_000 + (3 * 66));
        Assert.Single(harness.View.ReadChanges(ObjectKind.Dict, "d0", 33, 9).Changes);
        harness.Apply(new DeleteState(ObjectKind.Dict, "d0"));
        harness.Apply(new DeleteState(ObjectKind.Dict, "d1"));
        harness.Apply(new DeleteState(ObjectKind.Dict, "d2"));
        Assert.Equal((0L, 0L), (harness.View.StateHistoryBytes, harness.View.StateBytes));
    }

    [Fact]
    public void A_wait_ends_with_the_next_change_and_has_a_timeout()
    {
        var first = Await(0);
        var late = Await(0, Second);
        _harness.Advance(Second);
        Assert.Equal(new StateChangedOutcome(WaitStatus.Timeout, 0), late.Outcome);
        Assert.Empty(_harness.View.ListState(null, "", 9));
        var update = _harness.Dict(Set("a", "1"));
        Assert.Equal([update, first], _harness.Completed);
        Assert.Equal(new StateChangedOutcome(WaitStatus.Ok, 1), first.Outcome);
        Assert.True(Await(0).HasOutcome);
        Assert.True(Await(9).HasOutcome);
        var next = Await(1);
        _harness.Dict(new DictEdit(DictOperation.SetDefault, "a") { Value = JsonEditor.Json("5") });
        Assert.False(next.HasOutcome);
        _harness.Dict(Delete("a"));
        Assert.True(next.HasOutcome);
    }

    [Fact]
    public void What_is_only_waited_for_is_not_there_and_leaves_nothing_behind()
    {
        foreach (var kind in new[] { ObjectKind.Dict, ObjectKind.List, ObjectKind.Value, ObjectKind.Array })
        {
            var wait = _harness.Apply(new AwaitStateChange(kind, "x", 0));
            Assert.Equal(1, _harness.View.ObjectCount);
            Assert.False(_harness.View.ReadChanges(kind, "x", 0, 9).Exists);
            _harness.Apply(new DeleteState(kind, "x")).Fails(ObjectErrorReason.NotFound);
            _harness.Abandon(wait);
            Assert.Equal(WaitStatus.Timeout, _harness.Apply(new AwaitStateChange(kind, "x", 0) { Timeout = TimeSpan.Zero })
                .Get<StateChangedOutcome>().Status);
            Assert.Equal(0, _harness.View.ObjectCount);
        }

        _harness.Apply(new AwaitStateChange(ObjectKind.Lock, "x", 0)).Fails(ObjectErrorReason.Invalid);
        _harness.Apply(new AwaitStateChange(ObjectKind.Dict, "a b", 0)).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void A_failed_update_wakes_nobody_and_keeps_what_is_waited_for()
    {
        var list = _harness.Apply(new AwaitStateChange(ObjectKind.List, "l", 0));
        var array = _harness.Apply(new AwaitStateChange(ObjectKind.Array, "a", 0));
        _harness.List(Edit(ListOperation.Append, value: "1"), Edit(ListOperation.Pop, 5)).Fails(ObjectErrorReason.Invalid);
        _harness.Array(1, At(3, NumberOperation.Set, Number.Of(1))).Fails(ObjectErrorReason.Invalid);
        Assert.False(list.HasOutcome || array.HasOutcome);
        _harness.List(Edit(ListOperation.Append, value: "1"));
        _harness.Array(1);
        Assert.True(list.HasOutcome && array.HasOutcome);
        Assert.Equal(["lists/l", "arrays/a"], _harness.View.ListState(null, "", 9).Select(item => item.QualifiedName).OrderDescending());
    }

    [Fact]
    public void A_deleted_object_wakes_its_watchers_and_its_successor_has_larger_versions()
    {
        _harness.Dict(Set("a", "1", Second), Set("b", "1"));
        var watch = Await(2);
        var delete = _harness.Apply(new DeleteState(ObjectKind.Dict, "d"));
        Assert.Equal([delete, watch], _harness.Completed);
        Assert.Equal(0UL, watch.Get<StateChangedOutcome>().Version);
        Assert.False(Changes(2).Exists);
        Assert.Null(_harness.Engine.NextDeadline);
        _harness.Dict(Set("a", "2"));
        Assert.Equal(4UL, _harness.Read().Version);
        // A watcher that knew the old object, at any version, must not take the new one for its continuation.
        Assert.True(Changes(2).NeedsSnapshot);
        _harness.Apply(new UpdateDict("d", [Set("a", "3")]) { Guard = new StateGuard(2) }).Fails(ObjectErrorReason.Stale);
    }

    [Theory]
    [InlineData(ObjectKind.Dict)]
    [InlineData(ObjectKind.List)]
    [InlineData(ObjectKind.Value)]
    [InlineData(ObjectKind.Array)]
    public void A_watch_from_the_beginning_gets_every_change_of_an_object_that_follows_a_deleted_one(ObjectKind kind)
    {
        // Of any name and kind: new objects begin after the versions of all deleted ones.
        _harness.Apply(new UpdateDict("gone", [.. Enumerable.Range(0, 5).Select(i => Set($"{i}", "1"))]));
        _harness.Apply(new DeleteState(ObjectKind.Dict, "gone"));
        for (var change = 0; change < 3; change++)
            Change(kind);
        var info = Assert.Single(_harness.View.ListState(kind, "", 9));
        var changes = _harness.View.ReadChanges(kind, info.Name, 0, 9);
        Assert.False(changes.NeedsSnapshot);
        Assert.Equal([7UL, 8UL, 9UL], changes.Changes.Select(change => change.Version));
        Assert.Equal((9UL, 9UL), (changes.Version, changes.ReadTo));
        var part = _harness.View.ReadChanges(kind, info.Name, 0, 2);
        Assert.Equal((8UL, 2), (part.ReadTo, part.Changes.Count));
        var earlier = _harness.View.ReadChanges(kind, info.Name, 5, 9);
        Assert.Equal((true, true), (earlier.NeedsSnapshot, earlier.IsOtherObject));
        // Three of the changes have left the window then.
        for (var change = 0; change < 5; change++)
            Change(kind);
        var late = _harness.View.ReadChanges(kind, info.Name, 0, 9);
        Assert.Equal((true, true), (late.NeedsSnapshot, late.IsOtherObject));
        var slow = _harness.View.ReadChanges(kind, info.Name, 8, 9);
        Assert.Equal((true, false), (slow.NeedsSnapshot, slow.IsOtherObject));
    }

    [Fact]
    public void Changes_of_all_kinds_are_told()
    {
        _harness.List(Edit(ListOperation.Extend, values: ["1", "2"]), Edit(ListOperation.Pop, -1));
        _harness.Value(NumberOperation.Add, Number.Of(3));
        _harness.Value(NumberOperation.Min, Number.Of(5));
        _harness.Array(2, At(-1, NumberOperation.Add, Number.Of(1.5)));
        var list = _harness.View.ReadChanges(ObjectKind.List, "l", 0, 9).Changes.Cast<ListEdited>().ToArray();
        Assert.Equal([(1UL, ListOperation.Extend, 0L), (2UL, ListOperation.Pop, 1L)], list.Select(
            change => (change.Version, change.Edit.Operation, change.Edit.Index)));
        Assert.Equal(new ValueChanged(1, Number.Of(3)), Assert.Single(_harness.View.ReadChanges(ObjectKind.Value, "v", 0, 9).Changes));
        Assert.Equal(
            [new ArrayCreated(1, 2), new ArrayElementChanged(2, 1, Number.Of(1.5))],
            _harness.View.ReadChanges(ObjectKind.Array, "a", 0, 9).Changes);
    }

    [Fact]
    public void State_is_listed_by_kind_and_name_a_page_at_a_time()
    {
        _harness.Dict(Set("a", "1"));
        _harness.List(Edit(ListOperation.Append, value: "12"));
        _harness.Value(NumberOperation.Set, Number.Of(1));
        _harness.Array(3);
        var all = _harness.View.ListState(null, "", 9);
        Assert.Equal(
            [new StateInfo(ObjectKind.Array, "a", 1, 3, 24), new StateInfo(ObjectKind.Dict, "d", 1, 1, 2),
                new StateInfo(ObjectKind.List, "l", 1, 1, 2), new StateInfo(ObjectKind.Value, "v", 1, 1, 0)],
            all);
        Assert.Equal(["d", "l"], _harness.View.ListState(null, "arrays/a", 2).Select(item => item.Name));
        Assert.Equal("v", Assert.Single(_harness.View.ListState(ObjectKind.Value, "", 9)).Name);
    }

    private void Change(ObjectKind kind)
    {
        switch (kind)
        {
            case ObjectKind.Dict:
                _harness.Dict(Set("a", "1"));
                break;
            case ObjectKind.List:
                _harness.List(Edit(ListOperation.Append, value: "1"));
                break;
            case ObjectKind.Value:
                _harness.Value(NumberOperation.Add, Number.Of(1));
                break;
            default:
                // The first of them creates it by one change, and makes another by the second.
                _harness.Array(1, _harness.View.ListState(kind, "", 9).Count == 0 ? [] : [At(0, NumberOperation.Add, Number.Of(1))]);
                break;
        }
    }

    private Call Await(ulong after, TimeSpan? timeout = null) =>
        _harness.Apply(new AwaitStateChange(ObjectKind.Dict, "d", after) { Timeout = timeout });

    private StateChanges Changes(ulong after, int most = 9) => _harness.View.ReadChanges(ObjectKind.Dict, "d", after, most);

    private static string Text(StateChange change) => change switch
    {
        DictEntrySet set => $"{set.Version}:{set.Key}={set.Value.Body}",
        DictEntryDeleted deleted => $"{deleted.Version}:-{deleted.Key}",
        _ => $"{change}",
    };
}
