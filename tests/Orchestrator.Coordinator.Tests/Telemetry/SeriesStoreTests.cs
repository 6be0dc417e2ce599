using Orchestrator.Coordinator.Telemetry;

namespace Orchestrator.Coordinator.Tests.Telemetry;

public sealed class SeriesStoreTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly SeriesStore _store = new();

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 30));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Each_instant_has_the_last_value_within_its_step(int seed)
    {
        var random = new Random(seed);
        var samples = new List<(TimeSpan At, float? Value)>();
        var now = TimeSpan.FromSeconds(5);
        for (var i = 0; i < 1_200; i++)
        {
            // Late samples, and now and then a pause of the process.
            now += TimeSpan.FromSeconds(random.Next(100) == 0 ? random.Next(2, 30) : 0.9 + (random.NextDouble() * 0.3));
            _store.Begin(now);
            float? value = random.Next(10) == 0 ? null : random.Next(1_000);
            if (value is { } known)
                _store.Add("a", "x", known);
            samples.Add((now, value));
        }

        var kept = samples.TakeLast(SeriesStore.Capacity).ToArray();
        var step = TimeSpan.FromSeconds(random.Next(1, 8));
        var from = kept[0].At;
        var count = (int)((now - from) / step) + 1;
        var (name, unit, values) = Assert.Single(_store.Read(from, step, count, _ => true));
        Assert.Equal(("a", "x", count), (name, unit, values.Length));
        for (var i = 0; i < count; i++)
        {
            var instant = from + (step * i);
            var last = kept.LastOrDefault(sample => sample.At <= instant);
            var expected = last.At > instant - step ? last.Value : null;
            Assert.Equal(expected ?? float.NaN, values[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Aligned_seconds_hold_each_sample_once(int seed)
    {
        var random = new Random(seed);
        for (var second = 10; second < 300; second++)
        {
            // Of a timer that is late by less than half a second.
            _store.Begin(TimeSpan.FromSeconds(second + 0.3 + (random.NextDouble() * 0.2)));
            _store.Add("a", "x", second);
        }

        var from = _store.Align(TimeSpan.FromSeconds(20 + (random.NextDouble() * 5)));
        var values = Assert.Single(_store.Read(from, Second, 250, _ => true)).Values;
        Assert.Equal(Enumerable.Range((int)values[0], 250).Select(value => (float)value), values);
    }

    [Fact]
    public void A_series_that_began_later_has_no_values_before()
    {
        Sample(1, ("a", 1));
        Sample(2, ("a", 2), ("b", 20));
        Sample(3, ("a", 3));
        var read = _store.Read(Second, Second, 3, _ => true);
        Assert.Equal([1f, 2, 3], read[0].Values);
        Assert.Equal([float.NaN, 20, float.NaN], read[1].Values);
        Assert.Equal([("a", 3f), ("b", float.NaN)], _store.Newest(_ => true).OrderBy(point => point.Name));
    }

    [Fact]
    public void Memory_is_bounded_and_what_is_not_used_is_forgotten()
    {
        Sample(1, [.. Enumerable.Range(0, 2_000).Select(i => ($"a{i}", (double)i))]);
        Assert.Equal(1_100, _store.Read(Second, Second, 1, _ => true).Count);
        for (var second = 2; second < SeriesStore.Capacity + 70; second++)
            Sample(second, ("new", second));
        Assert.Equal("new", Assert.Single(_store.Read(Second, Second, 1, _ => true)).Name);
    }

    private void Sample(int second, params (string Name, double Value)[] values)
    {
        _store.Begin(TimeSpan.FromSeconds(second));
        foreach (var (name, value) in values)
            _store.Add(name, "x", value);
    }
}
