using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using static Orchestrator.Core.State.ListOperation;
using static Orchestrator.Core.Tests.Objects.StateCalls;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The rows of the semantics page on lists, values and arrays.</summary>
public sealed class ListAndNumberTests
{
    private readonly ObjectHarness _harness = Harness();

    [Fact]
    public void A_list_is_edited_like_python_s()
    {
        var outcome = _harness.List(
            Edit(Append, value: "1"), Edit(Extend, values: ["2", "3", "4"]), Edit(Insert, 0, "0"), Edit(Insert, -1, "x"),
            Edit(Insert, 6, "5"), Edit(ListOperation.Set, -1, "y"), Edit(Pop, -3), Edit(Pop, 0), Edit(Reverse)).Get<UpdateListOutcome>();
        Assert.Equal(["x", "0"], outcome.Popped.Select(value => value.Body));
        Assert.Equal("y 4 3 2 1", _harness.ReadList());
        Assert.Equal((9UL, 5L), (outcome.Version, outcome.Count));
        Assert.Equal("", _harness.List(Edit(Clear)).Get<UpdateListOutcome>().Count == 0 ? _harness.ReadList() : "not cleared");
        Assert.Equal(0, _harness.View.StateBytes);
    }

    [Theory]
    [InlineData(Pop, 3, "the index 3 is out of range for list \"l\" of length 3: it must be -3 to 2")]
    [InlineData(ListOperation.Set, -4, "the index -4 is out of range")]
    [InlineData(Insert, 4, "the index 4 is out of range")]
    [InlineData(Insert, long.MinValue, "out of range")]
    public void An_index_out_of_range_names_index_and_length_and_nothing_changes(ListOperation operation, long index, string message)
    {
        _harness.List(Edit(Extend, values: ["1", "2", "3"]));
        var error = _harness.List(
            Edit(Append, value: "4"), Edit(Pop, 0), Edit(ListOperation.Set, 0, "x"), Edit(Insert, 1, "y"), Edit(Reverse), Edit(Clear),
            Edit(Extend, values: ["7", "8", "9"]), Edit(operation, index, "z")).Fails(ObjectErrorReason.Invalid);
        Assert.Equal("edits[7]", error.Field);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal("1 2 3", _harness.ReadList());
        Assert.Equal((1UL, 3L), (((ListPage)_harness.View.ReadList("l", 0, 0)).Version, _harness.View.StateBytes));
    }

    [Fact]
    public void An_update_that_fails_or_changes_nothing_makes_no_list()
    {
        _harness.List(Edit(Pop, -1)).Fails(ObjectErrorReason.Invalid);
        Assert.Equal(0UL, _harness.List(Edit(Extend), Edit(Clear), Edit(Reverse)).Get<UpdateListOutcome>().Version);
        _harness.List().Fails(ObjectErrorReason.Invalid);
        _harness.List(Edit(0)).Fails(ObjectErrorReason.Invalid);
        Assert.Equal(0, _harness.View.ObjectCount);
    }

    [Fact]
    public void Slices_leave_out_what_is_outside()
    {
        _harness.List(Edit(Extend, values: ["0", "1", "2", "3", "4"]));
        Assert.Equal("3 4", _harness.ReadList(-2));
        Assert.Equal("1 2", _harness.ReadList(1, 2));
        Assert.Equal("0 1", _harness.ReadList(-9, 2));
        Assert.Equal("", _harness.ReadList(9));
        Assert.Equal("limit", ((ObjectError)_harness.View.ReadList("l", 0, -1)).Field);
    }

    [Fact]
    public void A_list_keeps_its_bounds()
    {
        var harness = Harness(new StateOptions { MaxEntries = 3, MaxObjectBytes = 10, MaxTotalBytes = 12 });
        harness.List(Edit(Extend, values: ["1", "2", "3"]));
        harness.List(Edit(Append, value: "4")).Fails(ObjectErrorReason.LimitExceeded);
        harness.List(Edit(Pop, 0), Edit(Append, value: "4")).Get<UpdateListOutcome>();
        harness.List(Edit(ListOperation.Set, 0, "123456789")).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal("2 3 4", harness.ReadList());
        harness.Apply(new UpdateList("m", [Edit(Append, value: "1234567890")])).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal(3, harness.View.StateBytes);
    }

    [Fact]
    public void A_value_is_set_added_to_and_bounded_by_minimum_and_maximum()
    {
        Assert.Equal(new UpdateValueOutcome(1, null, Number.Of(5), true), _harness.Value(NumberOperation.Add, Number.Of(5)).Outcome);
        Assert.Equal(
            new UpdateValueOutcome(2, Number.Of(5), Number.Of(2), true), _harness.Value(NumberOperation.Add, Number.Of(-3)).Outcome);
        Assert.Equal(
            new UpdateValueOutcome(2, Number.Of(2), Number.Of(2), false), _harness.Value(NumberOperation.Min, Number.Of(2)).Outcome);
        Assert.Equal(
            new UpdateValueOutcome(3, Number.Of(2), Number.Of(7), true), _harness.Value(NumberOperation.Max, Number.Of(7)).Outcome);
        Assert.Equal(
            new UpdateValueOutcome(4, Number.Of(7), Number.Of(0.5), true), _harness.Value(NumberOperation.Set, Number.Of(0.5)).Outcome);
        _harness.Value(NumberOperation.Add, Number.Of(0.25));
        Assert.Equal("0.75", _harness.ReadValue());
    }

    [Fact]
    public void Compare_and_set_reports_whether_it_changed()
    {
        Assert.Equal(new UpdateValueOutcome(0, null, null, false), _harness.Value(
            NumberOperation.CompareAndSet, Number.Of(1), Number.Of(0)).Outcome);
        Assert.True(_harness.Value(NumberOperation.CompareAndSet, Number.Of(1)).Get<UpdateValueOutcome>().Changed);
        Assert.False(_harness.Value(NumberOperation.CompareAndSet, Number.Of(2)).Get<UpdateValueOutcome>().Changed);
        Assert.False(_harness.Value(NumberOperation.CompareAndSet, Number.Of(2), Number.Of(0)).Get<UpdateValueOutcome>().Changed);
        Assert.Equal(new UpdateValueOutcome(2, Number.Of(1), Number.Of(1), true), _harness.Value(
            NumberOperation.CompareAndSet, Number.Of(1), Number.Of(1)).Outcome);
        _harness.Value(NumberOperation.CompareAndSet, Number.Of(1.0), Number.Of(1)).Fails(ObjectErrorReason.KindMismatch);
    }

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MinValue, -1)]
    [InlineData(long.MinValue, long.MinValue)]
    [InlineData(1, long.MaxValue)]
    public void Integer_overflow_is_an_error_and_never_a_wrap(long start, long amount)
    {
        _harness.Value(NumberOperation.Set, Number.Of(start));
        Assert.Contains($"adding {amount} to the {start}", _harness.Value(NumberOperation.Add, Number.Of(amount))
            .Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        Assert.Equal($"{start}", _harness.ReadValue());
        _harness.Value(NumberOperation.Add, Number.Of(-Math.Sign(amount))).Get<UpdateValueOutcome>();
    }

    [Fact]
    public void A_double_stays_finite_and_a_number_keeps_its_type_unless_it_is_set()
    {
        _harness.Value(NumberOperation.Set, Number.Of(double.MaxValue));
        _harness.Value(NumberOperation.Add, Number.Of(double.MaxValue)).Fails(ObjectErrorReason.Invalid);
        _harness.Value(NumberOperation.Set, Number.Of(double.NaN)).Fails(ObjectErrorReason.Invalid);
        _harness.Value(NumberOperation.CompareAndSet, Number.Of(1.0), Number.Of(double.PositiveInfinity)).Fails(ObjectErrorReason.Invalid);
        Assert.Contains("holds the real", _harness.Value(NumberOperation.Add, Number.Of(1))
            .Fails(ObjectErrorReason.KindMismatch).Message, StringComparison.Ordinal);
        _harness.Value(0, Number.Of(1.0)).Fails(ObjectErrorReason.Invalid);
        _harness.Value(NumberOperation.Set, Number.Of(1));
        Assert.Equal("1", _harness.ReadValue());
    }

    [Fact]
    public void An_array_has_a_length_from_the_first_update_and_a_type_from_its_first_edit()
    {
        Assert.Equal("length", _harness.Array(0, At(0, NumberOperation.Set, Number.Of(1))).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal(0, _harness.View.ObjectCount);
        Assert.Equal(1UL, _harness.Array(3).Get<UpdateArrayOutcome>().Version);
        Assert.Equal("0 0 0", _harness.ReadArray());
        var outcome = _harness.Array(0, At(0, NumberOperation.Add, Number.Of(0.5)), At(-1, NumberOperation.Max, Number.Of(2.0)), At(
            0, NumberOperation.Add, Number.Of(1.0)));
        Assert.Equal([Number.Of(1.5), Number.Of(2.0), Number.Of(1.5)], outcome.Get<UpdateArrayOutcome>().After);
        Assert.Equal((4UL, "1.5 0 2"), (outcome.Get<UpdateArrayOutcome>().Version, _harness.ReadArray()));
        _harness.Array(0, At(0, NumberOperation.Set, Number.Of(1))).Fails(ObjectErrorReason.KindMismatch);
        _harness.Array(4).Fails(ObjectErrorReason.KindMismatch);
        _harness.Array(3).Get<UpdateArrayOutcome>();
        Assert.Equal((24L, "0 2"), (_harness.View.StateBytes, _harness.ReadArray(-2)));
    }

    [Fact]
    public void An_array_is_atomic_over_all_edits()
    {
        _harness.Array(2, At(0, NumberOperation.Set, Number.Of(long.MaxValue)));
        var error = _harness.Array(0, At(1, NumberOperation.Add, Number.Of(5)), At(0, NumberOperation.Set, Number.Of(1)), At(
            0, NumberOperation.Add, Number.Of(long.MaxValue)));
        Assert.Equal("edits[2]", error.Fails(ObjectErrorReason.Invalid).Field);
        Assert.Contains("index 2 is out of range for array \"a\" of length 2", _harness.Array(0, At(2, NumberOperation.Add, Number.Of(5)))
            .Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        Assert.Equal($"{long.MaxValue} 0", _harness.ReadArray());
        // A failed compare-and-set is not an error.
        _harness.Array(0, At(0, NumberOperation.CompareAndSet, Number.Of(1), Number.Of(7)), At(
            1, NumberOperation.CompareAndSet, Number.Of(3), Number.Of(0)));
        Assert.Equal($"{long.MaxValue} 3", _harness.ReadArray());
    }

    [Fact]
    public void An_array_that_could_not_be_made_gets_no_type_and_takes_no_room()
    {
        _harness.Array(2, At(0, NumberOperation.Set, Number.Of(1)), At(1, NumberOperation.Set, Number.Of(1.5)))
            .Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal((0, 0L), (_harness.View.ObjectCount, _harness.View.StateBytes));
        Harness(new StateOptions { MaxObjectBytes = 10 }).Array(2).Fails(ObjectErrorReason.LimitExceeded);
        _harness.Array(20_000_000).Fails(ObjectErrorReason.Invalid);
    }
}
