using System.Threading.Channels;
using Orchestrator.Worker.Service;

namespace Orchestrator.Worker.Tests.Service;

/// <summary>The thread that beats at an interval and acts at once when signalled.</summary>
public sealed class HeartbeatThreadTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);

    private readonly Channel<string> _happened = Channel.CreateUnbounded<string>();

    [Fact]
    public async Task The_first_beat_is_at_once_and_a_signal_does_not_wait_for_the_next()
    {
        using var thread = Start(s_never);
        Assert.Equal("beat", await NextAsync());
        for (var i = 0; i < 100; i++)
        {
            thread.Signal();
            Assert.Equal("signal", await NextAsync());
        }
    }

    [Fact]
    public async Task It_beats_on_whatever_else_happens()
    {
        using var thread = Start(TimeSpan.FromMilliseconds(1));
        for (var beats = 0; beats < 50;)
        {
            if (await NextAsync() == "beat")
                beats++;
            else
                thread.Signal();
            if (beats == 10)
                thread.Signal();
        }
    }

    /// <summary>A signal that comes while it acts is not lost: what it is about may have come too late for the action.</summary>
    [Fact]
    public async Task A_signal_during_an_action_is_followed_by_another()
    {
        using var acting = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        using var thread = new HeartbeatThread(
            s_never, TimeProvider.System,
            () =>
            {
                acting.Release();
                go.Wait(s_limit, CancellationToken.None);
                _happened.Writer.TryWrite("acted");
            },
            () => { });
        thread.Start();
        thread.Signal();
        Assert.True(await acting.WaitAsync(s_limit, TestContext.Current.CancellationToken));
        thread.Signal();
        go.Release(2);
        Assert.Equal("acted", await NextAsync());
        Assert.Equal("acted", await NextAsync());
    }

    [Fact]
    public async Task After_its_end_it_neither_beats_nor_acts()
    {
        var thread = Start(s_never);
        Assert.Equal("beat", await NextAsync());
        thread.Dispose();
        thread.Signal();
        thread.Dispose();
        Assert.False(_happened.Reader.TryRead(out _));
    }

    private HeartbeatThread Start(TimeSpan interval)
    {
        var thread = new HeartbeatThread(
            interval, TimeProvider.System, () => _happened.Writer.TryWrite("signal"), () => _happened.Writer.TryWrite("beat"));
        thread.Start();
        return thread;
    }

    private Task<string> NextAsync() => _happened.Reader.ReadAsync().AsTask().WaitAsync(s_limit, TestContext.Current.CancellationToken);
}
