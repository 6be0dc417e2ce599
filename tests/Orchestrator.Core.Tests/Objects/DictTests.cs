using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using static Orchestrator.Core.Tests.Objects.JsonEditor;
using static Orchestrator.Core.Tests.Objects.StateCalls;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The rows of the semantics page on dicts and guards.</summary>
public sealed class DictTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ObjectHarness _harness = Harness();

    [Fact]
    public void A_dict_comes_into_being_with_its_first_entry_and_reads_as_empty_before()
    {
        Assert.Equal((0UL, 0L), (_harness.Read().Version, _harness.Read().Count));
        Assert.Equal(["a"], _harness.Read("a").MissingKeys);
        Assert.Equal(0UL, _harness.Dict(Delete("a")).Get<UpdateDictOutcome>().Version);
        Assert.Equal(0, _harness.View.ObjectCount);
        Assert.Equal(["a=1@1", "b=2@2"], _harness.Dict(Set("a", "1"), Set("b", "2")).Entries());
        Assert.Equal("b=2 a=1", _harness.Read("b", "x", "a").Text());
        Assert.Equal((2UL, 2L, 4L), (_harness.Read().Version, _harness.Read().Count, _harness.View.StateBytes));
    }

    [Fact]
    public void An_update_is_atomic_over_all_its_edits()
    {
        _harness.Dict(Set("a", "1"), Set("b", "\"x\""));
        var error = _harness.Dict(Set("a", "2"), Delete("b"), Set("c", "3"), new DictEdit(DictOperation.Append, "a") { Value = Json("1") })
            .Fails(ObjectErrorReason.Invalid);
        Assert.Equal("edits[3]", error.Field);
        Assert.Contains("2 is no list", error.Message, StringComparison.Ordinal);
        Assert.Equal("a=1 b=\"x\"", _harness.Read().Text());
        Assert.Equal(2UL, _harness.Read().Version);
    }

    [Fact]
    public void Edits_see_the_earlier_ones_and_the_answer_shows_the_entries_after_all()
    {
        var outcome = _harness.Dict(
            Set("n", "1"),
            new DictEdit(DictOperation.Add, "n") { Amount = 4 },
            new DictEdit(DictOperation.Add, "fresh") { Amount = 2.5 },
            new DictEdit(DictOperation.SetDefault, "n") { Value = Json("9") },
            new DictEdit(DictOperation.SetDefault, "m") { Value = Json("9") },
            Set("gone", "1"),
            Delete("gone"));
        Assert.Equal(["n=5@2", "n=5@2", "fresh=2.5@3", "n=5@2", "m=9@4", "gone=-@0", "gone=-@0"], outcome.Entries());
    }

    [Fact]
    public void Path_and_append_change_inside_a_value()
    {
        _harness.Dict(Set("user", """{"name":{"first":"Ann"},"tags":[]}"""));
        _harness.Dict(new DictEdit(DictOperation.SetPath, "user") { Path = "name.first", Value = Json("\"Eve\"") });
        _harness.Dict(new DictEdit(DictOperation.Append, "log") { Value = Json("1") },
            new DictEdit(DictOperation.Append, "log") { Value = Json("2") });
        Assert.Equal("""user={"name":{"first":"Eve"},"tags":[]} log=[1,2]""", _harness.Read().Text());
        _harness.Dict(new DictEdit(DictOperation.SetPath, "user") { Path = "a.b", Value = Json("1") }).Fails(ObjectErrorReason.Invalid);
        new ObjectHarness().Dict(new DictEdit(DictOperation.Add, "n")).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void A_time_to_live_ends_an_entry_and_a_set_without_one_takes_it_away()
    {
        _harness.Dict(Set("a", "1", Second), Set("b", "1", Second), Set("c", "1", Second), Set("d", "1", 2 * Second));
        _harness.Dict(Set("b", "2"), new DictEdit(DictOperation.Add, "c") { Amount = 1 },
            new DictEdit(DictOperation.Add, "d") { Amount = 1, Ttl = 3 * Second });
        // The engine's timer may be late; a reader does not see expired entries.
        Assert.Equal(["a", "c"],
            ((DictPage)_harness.View.ReadDict(new DictQuery("d") { Keys = ["a", "b", "c", "d"] }, _harness.Now + Second)).MissingKeys);
        _harness.Advance(Second);
        Assert.Equal("b=2 d=2", _harness.Read().Text());
        Assert.Equal(9UL, _harness.Read().Version);
        _harness.Advance(2 * Second);
        Assert.Equal("b=2", _harness.Read().Text());
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void An_entry_whose_timer_is_late_is_missing_to_an_update()
    {
        _harness.Dict(Set("a", "1", Second), Set("b", "1"));
        _harness.Now += 2 * Second;
        Assert.Equal(["a=5@4"], _harness.Dict(new DictEdit(DictOperation.SetDefault, "a") { Value = Json("5") }).Entries());
        Assert.Equal("b=1 a=5", _harness.Read().Text());
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void Clear_deletes_all_before_the_edits()
    {
        _harness.Dict(Set("a", "1", Second), Set("b", "2"));
        var outcome = _harness.Apply(new UpdateDict("d", [new DictEdit(DictOperation.SetDefault, "b") { Value = Json("3") }], Clear: true));
        Assert.Equal(["b=3@5"], outcome.Entries());
        Assert.Equal("b=3", _harness.Read().Text());
        Assert.Equal(5UL, _harness.Apply(new UpdateDict("d", [], Clear: true)).Get<UpdateDictOutcome>().Version - 1);
        Assert.Equal((0L, 0L), (_harness.Read().Count, _harness.View.StateBytes));
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void A_guard_refuses_a_stale_version_with_the_current_one()
    {
        Guarded(new StateGuard(0)).Get<UpdateDictOutcome>();
        var error = Guarded(new StateGuard(0)).Fails(ObjectErrorReason.Stale);
        Assert.Equal((1UL, "guard.expected_version"), (error.CurrentVersion!.Value, error.Field));
        Assert.Equal(2UL, Guarded(new StateGuard(1)).Get<UpdateDictOutcome>().Version);
    }

    [Fact]
    public void A_guard_refuses_a_fencing_token_that_no_holder_has()
    {
        var (ann, bob) = (_harness.Session(), _harness.Session());
        var old = _harness.Acquire(ann, "build").Token;
        Guarded(new StateGuard(null, "build", old)).Get<UpdateDictOutcome>();
        var next = _harness.Acquire(bob, "build");
        _harness.End(ann);
        Assert.Equal(1UL, Guarded(new StateGuard(null, "build", old)).Fails(ObjectErrorReason.Stale).CurrentVersion);
        Guarded(new StateGuard(1, "build", next.Token)).Get<UpdateDictOutcome>();
        Guarded(new StateGuard(null, "", 5)).Fails(ObjectErrorReason.Invalid);
        Assert.Equal("guard.lock", Guarded(new StateGuard(null, "a b", 5)).Fails(ObjectErrorReason.Invalid).Field);
    }

    [Fact]
    public void A_request_sent_again_is_not_done_again_and_is_not_undone()
    {
        var add = new UpdateDict("d", [new DictEdit(DictOperation.Add, "n") { Amount = 1 }]) { RequestId = "r" };
        var first = _harness.Apply(add);
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        Assert.Same(first.Outcome, _harness.Apply(add).Outcome);
        Assert.Equal("n=1", _harness.Read().Text());
    }

    [Fact]
    public void Pages_follow_the_order_of_insertion_and_go_on_where_they_ended()
    {
        _harness.Dict([.. Enumerable.Range(0, 7).Select(i => Set($"k{i}", $"{i}"))]);
        _harness.Dict(Set("k1", "x"));
        var first = Page(new DictQuery("d") { MaxEntries = 3 });
        Assert.Equal("k0=0 k1=x k2=2", first.Text());
        // The last entry of the page is deleted and others are added: no entry is missed or repeated.
        _harness.Dict(Delete("k2"), Delete("k3"), Set("k0", "y"), Set("k7", "7"));
        var second = Page(new DictQuery("d") { MaxEntries = 3, PageToken = first.NextPageToken });
        Assert.Equal("k4=4 k5=5 k6=6", second.Text());
        Assert.Equal("k7=7", Page(new DictQuery("d") { MaxEntries = 3, PageToken = second.NextPageToken }).Text());
        Assert.Equal("", Page(new DictQuery("d") { PageToken = second.NextPageToken }).NextPageToken);
        Assert.Equal("k5=-", Page(new DictQuery("d") { KeyPrefix = "k5", KeysOnly = true }).Text());
        Assert.Equal("page_token", ((ObjectError)_harness.View.ReadDict(new DictQuery("d") { PageToken = "x" }, _harness.Now)).Field);
    }

    [Fact]
    public void Bounds_on_entries_bytes_keys_and_times_are_kept()
    {
        var harness = Harness(new StateOptions { MaxEntries = 2, MaxObjectBytes = 20, MaxTotalBytes = 30, MaxKeyLength = 5 });
        harness.Dict(Set("a", "1"), Set("b", "1"));
        harness.Dict(Set("c", "1")).Fails(ObjectErrorReason.LimitExceeded);
        harness.Dict(Delete("a"), Set("c", "1")).Get<UpdateDictOutcome>();
        Assert.Contains("and may take 20", harness.Dict(Set("b", new string('1', 20)))
            .Fails(ObjectErrorReason.LimitExceeded).Message, StringComparison.Ordinal);
        harness.Dict(Set("b", new string('1', 17))).Get<UpdateDictOutcome>();
        harness.Apply(new UpdateDict("e", [Set("x", new string('1', 10))])).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal("edits[0].key", harness.Dict(Set("", "1")).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("edits[0].key", harness.Dict(Set("abcdef", "1")).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("edits[0].ttl", harness.Dict(Set("a", "1", TimeSpan.Zero)).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal(
            "edits[0].ttl", harness.Dict(new DictEdit(DictOperation.Delete, "a") { Ttl = Second }).Fails(ObjectErrorReason.Invalid).Field);
        harness.Dict().Fails(ObjectErrorReason.Invalid);
        harness.Dict(new DictEdit(0, "a")).Fails(ObjectErrorReason.Invalid);
        harness.Apply(new UpdateDict("a b", [Set("x", "1")])).Fails(ObjectErrorReason.Invalid);
        Assert.Equal((1, 20L), (harness.View.ObjectCount, harness.View.StateBytes));
    }

    private Call Guarded(StateGuard guard) => _harness.Apply(new UpdateDict("d", [Set("a", "1")]) { Guard = guard });

    private DictPage Page(DictQuery query) => (DictPage)_harness.View.ReadDict(query, _harness.Now);
}
