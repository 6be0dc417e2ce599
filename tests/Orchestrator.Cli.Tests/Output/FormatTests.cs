using CsCheck;
using Google.Protobuf.Reflection;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Tests.Output;

/// <summary>Values of the contract as text.</summary>
public sealed class FormatTests
{
    public static TheoryData<ErrorReason> Reasons => [.. Enum.GetValues<ErrorReason>()];

    public static TheoryData<TaskState> States => [.. Enum.GetValues<TaskState>()];

    public static TheoryData<CancelRung> Rungs => [.. Enum.GetValues<CancelRung>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void A_reason_is_named_as_the_contract_names_it(ErrorReason reason)
    {
        var name = CommonReflection.Descriptor.FindTypeByName<EnumDescriptor>(nameof(ErrorReason)).FindValueByNumber((int)reason).Name;
        Assert.Equal(name, "ERROR_REASON_" + Format.Reason(reason));
    }

    [Theory]
    [MemberData(nameof(States))]
    public void A_state_is_named_in_words(TaskState state)
    {
        var name = TasksReflection.Descriptor.FindTypeByName<EnumDescriptor>(nameof(TaskState)).FindValueByNumber((int)state).Name;
        Assert.Equal(name["TASK_STATE_".Length..].Replace('_', ' ').ToLowerInvariant(), Format.State(state));
    }

    [Theory]
    [MemberData(nameof(Rungs))]
    public void A_cause_is_one_line_with_what_ended_the_task(CancelRung rung)
    {
        var cause = Format.Cause(new TaskError { Type = "System.Exception", Message = "first\r\nsecond", Rung = rung });
        Assert.Equal(
            "System.Exception: first" + rung switch
            {
                CancelRung.Unspecified or CancelRung.BeforeStart => "",
                _ => $" ({rung.ToString().ToLowerInvariant()})",
            }, cause);
    }

    [Fact]
    public void A_cause_tells_of_the_worker_that_died()
    {
        var death = new PostMortem { Pid = 7, PeakRssBytes = 20_000_000, OutOfMemory = true };
        var error = new TaskError { Message = "it died", PostMortem = death };
        Assert.Equal("it died [pid 7, peak memory 20 MB, out of memory]", Format.Cause(error));
        Assert.Equal("worker lost: " + Format.Cause(error), Format.Failure(new TaskResult { State = TaskState.WorkerLost, Error = error }));
    }

    [Theory]
    [InlineData(0, "0.00 µs")]
    [InlineData(9, "0.90 µs")]
    [InlineData(9_999, "1,000 µs")]
    [InlineData(10_000, "1.00 ms")]
    [InlineData(9_990_000, "999 ms")]
    [InlineData(10_000_000, "1.00 s")]
    [InlineData(1_190_000_000, "119 s")]
    [InlineData(1_200_000_000, "2 min 0 s")]
    [InlineData(71_999_999_999, "119 min 59 s")]
    [InlineData(72_000_000_000, "2 h 0 min")]
    [InlineData(1_728_000_000_000, "2 d 0 h")]
    public void A_time_has_the_unit_that_suits_it(long ticks, string text) => Assert.Equal(text, Format.Time(TimeSpan.FromTicks(ticks)));

    [Fact]
    public void A_time_that_is_unknown_is_a_dash() => Assert.Equal("–", Format.Time((TimeSpan?)null));

    [Fact]
    public void A_number_has_three_digits_at_least_and_is_off_by_half_of_the_last_at_most() => Gen.Double[0, 1e9].Sample(value =>
    {
        var text = Format.Number(value);
        Assert.True(text.Count(char.IsAsciiDigit) >= 3, text);
        var last = value >= 99.95 ? 1 : value >= 9.995 ? 0.1 : 0.01;
        Assert.Equal(value, double.Parse(text, System.Globalization.CultureInfo.InvariantCulture), (last / 2) + (value * 1e-12));
    });

    [Theory]
    [InlineData(9_999, "9999 B")]
    [InlineData(10_000, "10 kB")]
    [InlineData(9_999_999, "9999 kB")]
    [InlineData(10_000_000, "10 MB")]
    [InlineData(ulong.MaxValue, "18446744073 GB")]
    public void A_size_has_four_digits_at_most_below_the_largest_unit(ulong bytes, string text) => Assert.Equal(text, Format.Bytes(bytes));

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abcd", 3, "abc…")]
    [InlineData("", 0, "")]
    public void A_text_that_is_cut_says_so(string text, int length, string shown) => Assert.Equal(shown, Format.Cut(text, length));

    [Theory]
    [InlineData(0, "0 sessions")]
    [InlineData(1, "1 session")]
    [InlineData(1_234, "1,234 sessions")]
    public void A_count_has_its_noun(long count, string text) => Assert.Equal(text, Format.Counted(count, "session"));
}
