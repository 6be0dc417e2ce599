using System.Collections.Concurrent;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.Client.Synchronous;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>The synchronous methods, over both transports and where blocking could wait for itself.</summary>
public sealed class SynchronousTests(SdkFixture fixture) : IClassFixture<SdkFixture>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task They_do_what_the_asynchronous_ones_do(bool isLocal)
    {
        await using var client = await ConnectAsync(isLocal);
        await using var session = await client.OpenSessionAsync();
        await RunOnThreadAsync(() => UseAll(client, session, isLocal ? "local" : "grpc"));
    }

    [Fact]
    public async Task They_can_be_called_where_the_answer_of_an_asynchronous_call_continues()
    {
        await using var client = await ConnectAsync(isLocal: true);
        await using var session = await client.OpenSessionAsync();
        Assert.Equal(100, await AddByTurnsAsync(session.Value<long>("continued"), 50).WaitAsync(Limit));
    }

    [Fact]
    public async Task They_do_not_return_to_a_thread_that_waits_for_them()
    {
        await using var client = await ConnectAsync(isLocal: true);
        await using var session = await client.OpenSessionAsync();
        await RunOnThreadAsync(() =>
        {
            using var context = new OneThreadContext();
            SynchronizationContext.SetSynchronizationContext(context);
            session.Dict<string>("context").Set("key", "value");
            Assert.Equal("value", session.Dict<string>("context").Get("key"));
            Assert.Equal(5, client.Run<int>("sum_of_squares", new { n = 3 }));
            // Not even once they are done.
            Assert.Empty(context.Posted);
        });
    }

    [Fact]
    public async Task More_of_them_than_the_pool_has_threads_still_come_to_an_end()
    {
        await using var client = await ConnectAsync(isLocal: true);
        await using var session = await client.OpenSessionAsync();
        var value = session.Value<long>("crowded");
        var calls = Enumerable.Range(0, 8 * Environment.ProcessorCount).Select(_ => Task.Run(() => value.Add(1)));
        Assert.Equal(8 * Environment.ProcessorCount, (await Task.WhenAll(calls).WaitAsync(Limit)).Max());
    }

    [Fact]
    public async Task Their_waits_can_be_cancelled_and_their_errors_are_the_same()
    {
        await using var client = await ConnectAsync(isLocal: true);
        await using var session = await client.OpenSessionAsync();
        await using var other = await client.OpenSessionAsync();
        await using var hold = await other.Lock("kept").AcquireAsync();
        await RunOnThreadAsync(() =>
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            Assert.ThrowsAny<OperationCanceledException>(() => session.Lock("kept").Acquire(soon.Token));
            Assert.Null(session.Lock("kept").TryAcquire(TimeSpan.FromMilliseconds(1)));
            Assert.Equal(FailureReason.NotFound, Assert.ThrowsAny<OrchestratorException>(() => session.Queue<int>("none").Get()).Reason);
            Assert.Equal(
                FailureReason.HandlerNotFound,
                Assert.ThrowsAny<OrchestratorException>(() => client.Run<int>("no_such_handler")).Reason);
        });
    }

    private static async Task<long> AddByTurnsAsync(SharedValue<long> value, int count)
    {
        var last = 0L;
        for (var i = 0; i < count; i++)
        {
            // This may go on on the thread that reads the answers, and the next answer must come nevertheless.
            await value.AddAsync(1).ConfigureAwait(false);
            last = value.Add(1);
        }

        return last;
    }

    private static void UseAll(OrchestratorClient client, CoordinationSession session, string name)
    {
        object[] inputs = [new { n = 2 }, new { n = 3 }];
        Assert.Equal([1, 5], client.Map(TaskFunction.Json<object, int>("sum_of_squares"), inputs));
        Assert.Equal(5, client.Run<int>("sum_of_squares", new { n = 3 }));
        using (var hold = session.Lock(name).Acquire())
        {
            Assert.NotEqual(0ul, hold.FencingToken);
            session.Dict<int>(name).Set("a", 1, UpdateGuard.Holding(hold));
        }

        using (session.Semaphore(name, 2).Acquire(2))
            Assert.Null(session.Semaphore(name, 2).TryAcquire(TimeSpan.Zero));
        var dict = session.Dict<int>(name);
        Assert.Equal((1, 3), (dict.Get("a"), dict.Update("a", old => old + 2)));
        Assert.Equal(4, dict.Add("a", 1));
        Assert.Equal(9, dict.SetDefault("b", 9));
        dict.Remove("b");
        Assert.Null(dict.Find("b"));
        var list = session.List<string>(name);
        Assert.Equal(1, list.Append("x"));
        list.Insert(0, "w");
        Assert.Equal(["w", "x"], list.Read());
        Assert.Equal("x", list.Pop());
        session.Value<long>(name).Set(7);
        Assert.True(session.Value<long>(name).CompareAndSet(7, 8));
        Assert.Equal(8, session.Value<long>(name).Read());
        var queue = session.Queue<int>(name);
        client.CreateQueueAsync(name).GetAwaiter().GetResult();
        queue.PutAll([1, 2]);
        Assert.True(queue.TryPut(3, TimeSpan.Zero));
        Assert.Equal((1, 2), (queue.Get(), queue.TryGet(TimeSpan.Zero)));
        var leased = queue.Lease()!;
        Assert.Equal(3, leased.Body);
        Assert.True(leased.Complete());
        session.Event(name).Set();
        session.Event(name).Wait();
        Assert.Equal(0, session.Latch(name, 1).CountDown());
        session.Latch(name, 1).Wait();
        dict.Delete();
    }

    /// <summary>On a thread that is not the pool's; fails if it does not end.</summary>
    private static async Task RunOnThreadAsync(Action action)
    {
        var done = new TaskCompletionSource();
        new Thread(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        })
        {
            IsBackground = true,
        }.Start();
        await done.Task.WaitAsync(Limit);
    }

    private Task<OrchestratorClient> ConnectAsync(bool isLocal) => OrchestratorClient.ConnectAsync(isLocal
        ? new OrchestratorClientOptions { DataDirectory = fixture.Coordinator.DataDirectory }
        : new OrchestratorClientOptions { Endpoint = fixture.Coordinator.GrpcAddress, Token = fixture.Coordinator.Token });

    /// <summary>A context whose only thread is the one that waits.</summary>
    private sealed class OneThreadContext : SynchronizationContext, IDisposable
    {
        public ConcurrentQueue<SendOrPostCallback> Posted { get; } = [];

        public override void Post(SendOrPostCallback d, object? state) => Posted.Enqueue(d);

        public void Dispose() => SetSynchronizationContext(null);
    }
}
