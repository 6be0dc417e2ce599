using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Services;

namespace Orchestrator.Coordinator.Tests.Services;

/// <summary>A request that is repeated with the same id has one effect, and the first answer.</summary>
public sealed class RecentAnswersTests : IDisposable
{
    private readonly HandTime _time = new();
    private readonly MonotonicClock _clock;
    private readonly RecentAnswers<int> _answers;
    private int _runs;

    public RecentAnswersTests()
    {
        _clock = new MonotonicClock(_time);
        _answers = new RecentAnswers<int>(_clock);
    }

    public void Dispose() => _clock.Dispose();

    [Fact]
    public async Task It_runs_once_for_each_key()
    {
        Assert.Equal(1, await RunAsync("a"));
        Assert.Equal(1, await RunAsync("a"));
        Assert.Equal(2, await RunAsync("b"));
        Assert.Equal(1, await RunAsync("a"));
    }

    [Fact]
    public async Task A_repetition_meanwhile_gets_the_answer_to_come()
    {
        var first = new TaskCompletionSource<int>();
        var calls = new[] { _answers.GetAsync("a", () => first.Task), RunAsync("a") };
        Assert.Equal(0, _runs);
        first.SetResult(7);
        Assert.All(await Task.WhenAll(calls), answer => Assert.Equal(7, answer));
    }

    [Fact]
    public async Task What_failed_or_was_cancelled_runs_again()
    {
        var failed = _answers.GetAsync("a", () => Task.FromException<int>(new InvalidOperationException("no")));
        await Assert.ThrowsAsync<InvalidOperationException>(() => failed);
        Assert.Equal(1, await RunAsync("a"));
        var cancelled = _answers.GetAsync("b", () => Task.FromCanceled<int>(new CancellationToken(canceled: true)));
        await Assert.ThrowsAsync<TaskCanceledException>(() => cancelled);
        Assert.Equal(2, await RunAsync("b"));
    }

    [Fact]
    public async Task It_is_remembered_for_ten_minutes()
    {
        await RunAsync("a");
        _time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        Assert.Equal(1, await RunAsync("a"));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, await RunAsync("a"));
    }

    [Fact]
    public async Task A_thousand_are_remembered_and_the_oldest_makes_room()
    {
        for (var i = 0; i < 1_000; i++)
        {
            await RunAsync($"{i}");
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(1, await RunAsync("0"));
        Assert.Equal(1_001, await RunAsync("new"));
        Assert.Equal(2, await RunAsync("1"));
        Assert.Equal(1_002, await RunAsync("0"));
    }

    private Task<int> RunAsync(string key) => _answers.GetAsync(key, () => Task.FromResult(++_runs));
}
