using CsCheck;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Durations from the wire, which may hold anything, and back.</summary>
public sealed class ProtoTimeTests
{
    private static readonly Gen<Duration> s_any =
        Gen.Select(Gen.OneOf(Gen.Long, Gen.Const(long.MaxValue), Gen.Const(long.MinValue), Gen.Long[-1_000, 1_000]), Gen.Int,
            (seconds, nanos) => new Duration { Seconds = seconds, Nanos = nanos });

    [Fact]
    public void Whatever_arrives_is_a_time_and_keeps_its_sign() => s_any.Sample(duration =>
    {
        var time = ProtoTime.ToTimeSpan(duration)!.Value;
        // Nanoseconds that are not normalized add two seconds at most.
        if (duration.Seconds > 2)
            Assert.True(time > TimeSpan.Zero);
        if (duration.Seconds < -2)
            Assert.True(time < TimeSpan.Zero);
        Assert.True(ProtoTime.ToWait(duration) <= ProtocolConstants.LongestTimer);
    });

    [Fact]
    public void What_the_contract_can_hold_comes_back() => Gen.Long[0, Duration.MaxSeconds - 1].Select(Gen.Int[0, 9_999_999]).Sample(
        (seconds, ticks) =>
        {
            var time = TimeSpan.FromSeconds(seconds) + TimeSpan.FromTicks(ticks);
            Assert.Equal(time, ProtoTime.ToTimeSpan(ProtoTime.ToDuration(time)));
        });

    [Fact]
    public void Longer_times_become_the_contracts_longest() =>
        Assert.Equal(new Duration { Seconds = Duration.MaxSeconds }, ProtoTime.ToDuration(TimeSpan.MaxValue));

    [Fact]
    public void What_is_absent_stays_absent()
    {
        Assert.Null(ProtoTime.ToTimeSpan(null));
        Assert.Null(ProtoTime.ToWait(null));
        Assert.Null(ProtoTime.ToDuration(null));
    }
}
