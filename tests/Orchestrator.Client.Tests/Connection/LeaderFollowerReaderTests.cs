using System.Threading.Channels;
using Grpc.Core;
using Orchestrator.Client.Connection;

namespace Orchestrator.Client.Tests.Connection;

public sealed class LeaderFollowerReaderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<int> _messages = Channel.CreateUnbounded<int>();
    private readonly Channel<int[]> _proceeded = Channel.CreateUnbounded<int[]>();

    [Fact]
    public async Task A_message_that_comes_while_an_item_proceeds_is_taken_by_another_thread()
    {
        using var second = new ManualResetEventSlim();
        var wasTaken = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Read(
            message =>
            {
                if (message == 2)
                    second.Set();
                return true;
            },
            items =>
            {
                if (items[0] == 1)
                    wasTaken.SetResult(second.Wait(Patience));
            });
        await _messages.Writer.WriteAsync(1);
        await _messages.Writer.WriteAsync(2);
        Assert.True(await wasTaken.Task.WaitAsync(Patience));
        _messages.Writer.Complete();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task Messages_that_are_there_proceed_together_and_those_without_items_not_at_all()
    {
        foreach (var message in (int[])[-1, 1, -2, 2, 3])
            await _messages.Writer.WriteAsync(message);
        _messages.Writer.Complete();
        await Read(message => message > 0, _ => { }).WaitAsync(Patience);
        var together = await NextAsync();
        Assert.Equal([1, 2, 3], together);
        Assert.False(_proceeded.Reader.TryRead(out _));
    }

    [Fact]
    public async Task An_error_ends_it_and_what_was_taken_before_proceeds()
    {
        await _messages.Writer.WriteAsync(1);
        _messages.Writer.Complete(new RpcException(new Status(StatusCode.Aborted, "cut")));
        var error = await Assert.ThrowsAsync<RpcException>(() => Read(_ => true, _ => { }).WaitAsync(Patience));
        Assert.Equal(StatusCode.Aborted, error.StatusCode);
        var taken = await NextAsync();
        Assert.Equal([1], taken);
    }

    // The end is told first: what proceeds may wait for it.
    private Task<int[]> NextAsync() => _proceeded.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    private Task Read(Predicate<int> hasItem, Action<List<int>> proceed) => new LeaderFollowerReader<int, int>(
        new Messages(_messages.Reader),
        (message, items) =>
        {
            if (hasItem(message))
                items.Add(message);
        },
        items =>
        {
            _proceeded.Writer.TryWrite([.. items]);
            proceed(items);
        },
        CancellationToken.None).RunAsync();

    private sealed class Messages(ChannelReader<int> messages) : IAsyncStreamReader<int>
    {
        public int Current { get; private set; }

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await messages.WaitToReadAsync(cancellationToken))
                return false;
            Current = await messages.ReadAsync(cancellationToken);
            return true;
        }
    }
}
