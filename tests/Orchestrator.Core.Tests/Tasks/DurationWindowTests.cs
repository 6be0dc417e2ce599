using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tests.Tasks;

public sealed class DurationWindowTests
{
    private const int Samples = 5;

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 20));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void It_holds_what_was_recorded_since_its_oldest_sample(int seed)
    {
        var random = new Random(seed);
        var source = new DurationHistogram();
        var window = new DurationWindow(source, Samples);
        // The durations between two samples; before the first ones, all since the start.
        var between = new Queue<List<long>>(Enumerable.Range(0, Samples + 1).Select(_ => new List<long>()));
        for (var step = 0; step < 200; step++)
        {
            // Also many samples in a row in which nothing is recorded.
            if (random.Next(3) == 0)
            {
                window.Sample();
                between.Dequeue();
                between.Enqueue([]);
            }
            else if (step is < 80 or > 120)
            {
                var ticks = random.NextInt64(1L << random.Next(1, 40));
                source.Record(ticks);
                between.Last().Add(ticks);
            }

            var expected = new DurationHistogram();
            foreach (var ticks in between.Skip(1).SelectMany(durations => durations))
                expected.Record(ticks);
            Assert.Equal(expected.Count, window.Count);
            foreach (var quantile in (double[])[0, 0.5, 0.9, 0.99, 1])
                Assert.Equal(expected.Quantile(quantile), window.Quantile(quantile));
        }
    }

    [Fact]
    public void Samples_in_which_nothing_is_recorded_take_no_memory()
    {
        var source = new DurationHistogram();
        var window = new DurationWindow(source, Samples);
        source.Record(1);
        for (var i = 0; i < 2 * Samples; i++)
            window.Sample();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            window.Sample();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(0, window.Count);
        Assert.Null(window.Quantile(0.5));
    }

    [Fact]
    public void Several_windows_have_the_quantiles_of_all_their_durations()
    {
        var random = new Random(3);
        var all = new DurationHistogram();
        var windows = new List<DurationWindow>();
        for (var i = 0; i < 4; i++)
        {
            var source = new DurationHistogram();
            var window = new DurationWindow(source, Samples);
            // What was before the window is in none of them.
            source.Record(1L << 40);
            for (var sample = 0; sample <= Samples; sample++)
                window.Sample();
            for (var j = 0; j < 100 * i; j++)
            {
                var ticks = random.NextInt64(1L << random.Next(1, 30));
                source.Record(ticks);
                all.Record(ticks);
            }

            windows.Add(window);
        }

        foreach (var quantile in (double[])[0, 0.5, 0.9, 0.99, 1])
            Assert.Equal(all.Quantile(quantile), DurationWindow.Quantile(windows, quantile));
        Assert.Null(DurationWindow.Quantile([], 0.5));
    }
}
