using Orchestrator.Coordinator.Dispatch;

namespace Orchestrator.Coordinator.Tests.Dispatch;

/// <summary>How a call waits for its writer: ended while a message is being written, it would end without its status.</summary>
public sealed class BatchingStreamWriterTests
{
    [Fact]
    public async Task Closing_waits_for_the_message_that_is_being_written_and_drops_the_others()
    {
        var writer = new Writer();
        writer.Send("first");
        writer.Send("second");
        var closed = writer.CloseAsync(TestContext.Current.CancellationToken);
        Assert.False(closed.IsCompleted);
        writer.Writing.SetResult();
        await closed;
        writer.Send("third");
        Assert.Equal(["first"], writer.Written);
    }

    [Fact]
    public async Task Closing_an_idle_one_and_closing_again_wait_for_nothing()
    {
        var writer = new Writer();
        writer.Writing.SetResult();
        writer.Send("first");
        Assert.True(writer.CloseAsync(CancellationToken.None).IsCompletedSuccessfully);
        await writer.CloseAsync(CancellationToken.None);
        Assert.Equal(["first"], writer.Written);
    }

    [Fact]
    public async Task A_message_that_cannot_be_written_ends_the_wait()
    {
        var writer = new Writer();
        writer.Send("first");
        var closed = writer.CloseAsync(TestContext.Current.CancellationToken);
        writer.Writing.SetException(new IOException("the peer is gone"));
        await closed;
        await writer.CloseAsync(TestContext.Current.CancellationToken);
        Assert.Empty(writer.Written);
    }

    [Fact]
    public async Task So_does_a_peer_that_is_gone()
    {
        var writer = new Writer();
        writer.Send("first");
        using var gone = new CancellationTokenSource();
        var closed = writer.CloseAsync(gone.Token);
        await gone.CancelAsync();
        await closed;
        writer.Writing.SetResult();
    }

    [Fact]
    public async Task Closing_beside_senders_always_completes_and_leaves_no_write_behind()
    {
        for (var round = 0; round < 2_000; round++)
        {
            var writer = new Writer();
            writer.Writing.SetResult();
            var sending = Task.Run(() =>
            {
                for (var i = 0; i < 20; i++)
                    writer.Send($"{i}");
            });
            await writer.CloseAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, writer.UnderWay);
            var written = writer.Written.Count;
            await sending;
            Assert.Equal(written, writer.Written.Count);
        }
    }

    private sealed class Writer : BatchingStreamWriter<string>
    {
        private readonly Queue<string> _queue = new();
        private int _underWay;

        public TaskCompletionSource Writing { get; } = new();

        public List<string> Written { get; } = [];

        public int UnderWay => Volatile.Read(ref _underWay);

        public void Send(string message)
        {
            lock (Gate)
                _queue.Enqueue(message);
            Flush();
        }

        protected override bool HasQueued()
        {
            lock (Gate)
                return _queue.Count > 0;
        }

        protected override string? Take()
        {
            lock (Gate)
                return _queue.TryDequeue(out var message) ? message : null;
        }

        protected override async Task WriteAsync(string message)
        {
            Interlocked.Increment(ref _underWay);
            await Writing.Task;
            Written.Add(message);
            Interlocked.Decrement(ref _underWay);
        }
    }
}
