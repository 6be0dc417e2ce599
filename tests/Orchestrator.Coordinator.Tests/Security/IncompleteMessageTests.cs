using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>Part 5, 13: incomplete requests are bounded in time and bytes, and input before a credential in its rate.</summary>
public sealed class IncompleteMessageTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _limit = new(Limit);

    public void Dispose() => _limit.Dispose();

    /// <summary>Part 5, 13: an incomplete message is bounded in time, and counts until it ends.</summary>
    [Fact]
    public async Task A_message_that_does_not_become_whole_ends_in_time_and_counts_until_then()
    {
        var (time, memory, pipe) = (new HandTime(), new MemoryBudget(1_000_000), new Pipe());
        using var messages = Limits(memory, time);
        using var body = new LimitedRequestBody(
            pipe.Reader, messages, new ConnectionAuthenticationCache(PortKind.Grpc), IncompleteMessageLimits.ArrivalLimit, isSingle: true);
        await pipe.Writer.WriteAsync(new byte[1_000], _limit.Token);
        var read = await body.ReadAsync(_limit.Token);
        body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        Assert.Equal((1_000, 1_000), (messages.Bytes, memory.Used));
        var rest = body.ReadAsync(_limit.Token).AsTask();
        time.Advance(IncompleteMessageLimits.ArrivalLimit);
        Assert.False(rest.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        var error = await Assert.ThrowsAsync<RpcException>(() => rest.WaitAsync(_limit.Token));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains("message_arrival", error.Status.Detail, StringComparison.Ordinal);
        body.Dispose();
        Assert.Equal((0, 0), (messages.Bytes, memory.Used));
    }

    /// <summary>
    /// Part 5, 13: the server throws if a read is to be ended of a client that leaves at that moment. That ended the process: a stranger
    /// had only to send half a message and to reset its connection ten seconds later.
    /// </summary>
    [Theory]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(ObjectDisposedException))]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(TaskCanceledException))]
    public async Task A_client_that_leaves_when_its_time_is_over_harms_nothing(Type thrown)
    {
        var (time, memory, pipe) = (new HandTime(), new MemoryBudget(1_000_000), new Pipe());
        using var messages = Limits(memory, time);
        var error = thrown == typeof(ObjectDisposedException)
            ? new ObjectDisposedException("reader") : (Exception)Activator.CreateInstance(thrown, "it was aborted")!;
        using var gone = new LimitedRequestBody(
            new AbortedReader(error), messages, null, IncompleteMessageLimits.OpenArrivalLimit, isSingle: true);
        using var other = new LimitedRequestBody(pipe.Reader, messages, null, IncompleteMessageLimits.OpenArrivalLimit, isSingle: true);
        var ended = gone.ReadAsync(_limit.Token).AsTask();
        var late = other.ReadAsync(_limit.Token).AsTask();
        time.Advance(IncompleteMessageLimits.OpenArrivalLimit + TimeSpan.FromSeconds(2));
        // The other one's time is over, too.
        Assert.Contains(
            "message_arrival", (await Assert.ThrowsAsync<RpcException>(() => late.WaitAsync(_limit.Token))).Status.Detail,
            StringComparison.Ordinal);
        Assert.False(ended.IsCompleted);
    }

    /// <summary>Part 5, 13: a stream that is silent between two messages is left alone; a complete message costs nothing.</summary>
    [Fact]
    public async Task A_stream_may_be_silent_between_its_messages()
    {
        var (time, memory, pipe) = (new HandTime(), new MemoryBudget(1_000_000), new Pipe());
        using var messages = Limits(memory, time);
        using var body = new LimitedRequestBody(
            pipe.Reader, messages, new ConnectionAuthenticationCache(PortKind.Grpc), IncompleteMessageLimits.ArrivalLimit, isSingle: false);
        for (var i = 0; i < 3; i++)
        {
            var next = body.ReadAsync(_limit.Token).AsTask();
            time.Advance(TimeSpan.FromHours(1));
            Assert.False(next.IsCompleted);
            await pipe.Writer.WriteAsync(new byte[1_000], _limit.Token);
            var read = await next;
            Assert.Equal(1_000, read.Buffer.Length);
            body.AdvanceTo(read.Buffer.End);
            Assert.Equal(0, memory.Used);
        }
    }

    /// <summary>Part 5, 13: the share of one connection, and of all.</summary>
    [Fact]
    public void One_connection_holds_half_of_what_all_may_hold()
    {
        var memory = new MemoryBudget(1_000_000);
        using var messages = Limits(memory, new HandTime());
        var one = new ConnectionAuthenticationCache(PortKind.Grpc);
        messages.Hold(one, messages.OfOneConnection);
        Assert.Contains("incoming_bytes_per_connection", Assert.Throws<RpcException>(() => messages.Hold(one, 1)).Status.Detail,
            StringComparison.Ordinal);
        messages.Hold(new ConnectionAuthenticationCache(PortKind.Grpc), messages.Limit - messages.OfOneConnection);
        Assert.Contains("(incoming_bytes)", Assert.Throws<RpcException>(
            () => messages.Hold(new ConnectionAuthenticationCache(PortKind.Grpc), 1)).Status.Detail, StringComparison.Ordinal);
        Assert.Equal(messages.Limit, memory.Used);
    }

    /// <summary>
    /// Part 5, 13: a connection may send a burst and then a trickle until a credential is accepted on it, and is unlimited afterwards.
    /// </summary>
    [Fact]
    public async Task Input_is_held_back_until_a_credential_is_accepted()
    {
        var (time, memo) = (new HandTime(), new ConnectionAuthenticationCache(PortKind.Grpc));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var input = new UnauthenticatedInputLimit(pipe.Reader, memo, time, _limit.Token);
        var taken = 0L;
        await pipe.Writer.WriteAsync(new byte[200_000], _limit.Token);
        Assert.Equal(UnauthenticatedInputLimit.Burst, await TakeAsync(input.ReadAsync(_limit.Token)));
        var more = input.ReadAsync(_limit.Token).AsTask();
        Assert.False(more.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(await TakeAsync(new ValueTask<ReadResult>(more)), 1, UnauthenticatedInputLimit.PerSecond);
        // The clock stands still from here on: all the rest arrives because of the credential.
        memo.MarkAuthenticated();
        while (taken < 200_000)
            await TakeAsync(input.ReadAsync(_limit.Token));

        async Task<long> TakeAsync(ValueTask<ReadResult> reading)
        {
            var read = await reading.AsTask().WaitAsync(_limit.Token);
            var length = read.Buffer.Length;
            input.AdvanceTo(read.Buffer.End);
            taken += length;
            return length;
        }
    }

    private static IncompleteMessageLimits Limits(MemoryBudget memory, HandTime time) =>
        new(memory, int.MaxValue, time, NullLogger<IncompleteMessageLimits>.Instance);

    /// <summary>The server's reader of a request that was aborted, whose read has not ended yet.</summary>
    private sealed class AbortedReader(Exception error) : PipeReader
    {
        private readonly TaskCompletionSource<ReadResult> _read = new();

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => new(_read.Task);

        public override void CancelPendingRead() => throw error;

        public override bool TryRead(out ReadResult result) => throw error;

        public override void AdvanceTo(SequencePosition consumed) => throw error;

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => throw error;

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
