using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Protocol;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>The client types for queues, pipes and shared state, over a session's one stream.</summary>
public sealed class DataClientTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Items_are_done_when_completed_and_come_back_when_not()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync("consumer");
        var queue = session.Queue(
            (await client.Contract.CreateQueueAsync(
                new QueueSpec { Name = Unique("queue"), Kind = QueueKind.Fifo, MaxItems = 2 })).Spec.Name);
        await queue.PutAsync(Text("a"));
        await queue.PutAsync(Text("b"));
        Assert.False(await queue.TryPutAsync(Text("c"), TimeSpan.Zero));
        await client.ShutDownQueueAsync(queue.Name);
        var seen = new List<string>();
        await foreach (var item in queue.LeaseAllAsync(prefetch: 1).WithCancellation(TestContext.Current.CancellationToken))
        {
            await using (item)
            {
                seen.Add($"{Read(item.Body)}{item.DeliveryCount}");
                if (item.DeliveryCount == 2 || Read(item.Body) == "b")
                    Assert.True(await item.CompleteAsync());
            }
        }

        Assert.Equal(["a1", "a2", "b1"], seen);
        await queue.JoinAsync().WaitAsync(s_patience);
        Assert.Equal(FailureReason.ShutDown, (await Assert.ThrowsAsync<QueueShutDownException>(() => queue.PutAsync(Text("d")))).Reason);
    }

    [Fact]
    public async Task A_closed_session_gives_back_what_it_leased()
    {
        await using var client = await ConnectAsync();
        await using var other = await client.OpenSessionAsync();
        var name = (await client.Contract.CreateQueueAsync(new QueueSpec { Name = Unique("queue"), Kind = QueueKind.Fifo })).Spec.Name;
        await other.Queue(name).PutAsync(Text("a"));
        var session = await client.OpenSessionAsync();
        Assert.NotNull(await session.Queue(name).LeaseAsync());
        Assert.Null(await other.Queue(name).TryGetAsync(TimeSpan.Zero));
        await session.DisposeAsync();
        Assert.Equal("a", Read((await other.Queue(name).GetAsync().WaitAsync(s_patience))!));
    }

    [Fact]
    public async Task Pipes_end_with_the_session_of_the_other_end()
    {
        await using var client = await ConnectAsync();
        await using var reader = await client.OpenSessionAsync();
        var writer = await client.OpenSessionAsync();
        var name = (await client.Contract.CreatePipeAsync(new PipeSpec { Name = Unique("pipe"), Duplex = true })).Spec.Name;
        await writer.Pipe(name).EndA.SendAsync(Text("a"));
        Assert.Equal("a", Read((await reader.Pipe(name).EndB.ReceiveAsync())!));
        Assert.Equal((null, false), await reader.Pipe(name).EndB.TryReceiveAsync(TimeSpan.Zero));
        var waiting = reader.Pipe(name).EndB.ReceiveAsync();
        await writer.DisposeAsync();
        Assert.Null(await waiting.WaitAsync(s_patience));
        Assert.Equal(FailureReason.BrokenPipe,
            (await Assert.ThrowsAsync<OrchestratorException>(() => reader.Pipe(name).EndB.SendAsync(Text("b")))).Reason);
    }

    [Fact]
    public async Task State_is_read_as_it_was_written_on_the_same_stream()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var dict = session.Dict(Unique("dict"));
        // Not awaited one by one: a read on the stream sees the effect of earlier requests.
        var set = dict.SetAsync("a", Text("x"));
        var get = dict.GetAsync("a");
        await set;
        Assert.Equal("x", Read((await get)!));
        Assert.Null(await dict.GetAsync("b"));

        var list = session.List(Unique("list"));
        Assert.Equal(1, await list.AppendAsync(Text("a")));
        Assert.Equal("a", Read(await list.PopAsync()));
        Assert.Equal(FailureReason.Invalid, (await Assert.ThrowsAsync<OrchestratorException>(() => list.PopAsync())).Reason);

        var value = session.Value(Unique("value"));
        Assert.Null(await value.ReadAsync());
        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => value.AddAsync(1)));
        Assert.Equal(1_000, await value.ReadAsync());
        Assert.False(await value.CompareAndSetAsync(1, 2));

        var array = session.Array(Unique("array"), 3);
        await array.UpdateAsync([new ArrayEdit { Index = -1, Edit = new NumberEdit { Set = new Number { Integer = 5 } } }]);
        Assert.Equal([0, 0, 5], await array.ReadAsync());
    }

    [Fact]
    public async Task An_item_over_the_limit_fails_alone_on_the_stream()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var dict = session.Dict(Unique("dict"));
        var large = dict.SetAsync("large", Payloads.FromBytes(new byte[ProtocolConstants.DefaultPayloadBytes + 1]));
        var small = dict.SetAsync("small", Text("x"));
        Assert.Contains(
            "payload_bytes", (await Assert.ThrowsAsync<ResourceExhaustedException>(() => large)).Message, StringComparison.Ordinal);
        await small;
    }

    [Fact]
    public async Task A_closed_end_lets_the_other_read_what_was_sent_and_then_the_end_of_file()
    {
        await using var client = await ConnectAsync();
        await using var reader = await client.OpenSessionAsync();
        await using var writer = await client.OpenSessionAsync();
        var name = (await client.Contract.CreatePipeAsync(new PipeSpec { Name = Unique("pipe"), Duplex = true })).Spec.Name;
        await using (var end = writer.Pipe(name).EndA)
        {
            await end.SendAsync(Text("a"));
            await end.SendAsync(Text("b"));
            var thief = await Assert.ThrowsAsync<OrchestratorException>(() => reader.Pipe(name).EndA.CloseAsync());
            Assert.Equal(FailureReason.NotOwner, thief.Reason);
        }

        var seen = "";
        await foreach (var message in reader.Pipe(name).EndB.ReceiveAllAsync(TestContext.Current.CancellationToken))
            seen += Read(message);
        Assert.Equal("ab", seen);
        await writer.Pipe(name).EndA.CloseAsync();
        await client.Contract.ClosePipeEndAsync(name, PipeEnd.B);
        Assert.DoesNotContain(await client.Contract.ListPipesAsync(), pipe => pipe.Spec.Name == name);
        // The end is already in the requested state.
        await reader.Pipe(name).EndB.DisposeAsync();
    }

    [Fact]
    public async Task A_watch_tells_every_change_in_order_and_resumes()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var dict = session.Dict(Unique("dict"));
        Assert.Equal(2, await dict.AddAsync("a", 2));
        var keys = new List<string>();
        var version = 0UL;
        await foreach (var change in dict.WatchMessagesAsync(cancellationToken: TestContext.Current.CancellationToken))
        {
            keys.Add(change.DictSet.Key);
            version = change.Version;
            break;
        }

        await dict.SetAsync("b", Text("x"));
        await dict.RemoveAsync("a");
        await foreach (var change in dict.WatchMessagesAsync(version, cancellationToken: TestContext.Current.CancellationToken))
        {
            Assert.False(change.Snapshot);
            keys.Add(change.DictSet is { } entry ? entry.Key : "-" + change.DictDeletedKey);
            if (keys.Count == 3)
                break;
        }

        Assert.Equal(["a", "b", "-a"], keys);
    }

    [Fact]
    public async Task A_guarded_update_begins_again_where_somebody_else_was_first()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var dict = session.Dict(Unique("dict"));
        var calls = 0;
        var last = await dict.UpdateAsync("a", value =>
        {
            // Another session updates the dict before the first attempt.
            if (++calls == 1)
                dict.SetAsync("a", Payloads.FromNumber(40)).Wait(s_patience);
            return Payloads.FromNumber((value?.Json.NumberValue ?? 0) + 2);
        });
        Assert.Equal((42, 2), (last.Json.NumberValue, calls));
        Assert.Equal(42, (await dict.SetDefaultAsync("a", Payloads.FromNumber(1))).Json.NumberValue);
    }

    [Fact]
    public async Task A_barrier_can_be_broken_and_made_new()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var barrier = session.Barrier(Unique("barrier"), 2);
        var waiting = barrier.WaitAsync();
        await UntilAsync(
            async () => (await client.Contract.ListSyncAsync())
                .Any(item => item.Object == $"barriers/{barrier.Name}" && item.Waiters.Count == 1));
        Assert.Equal(1, await barrier.AbortAsync());
        Assert.Equal(
            FailureReason.BrokenBarrier, (await Assert.ThrowsAsync<OrchestratorException>(() => waiting.WaitAsync(s_patience))).Reason);
        await barrier.ResetAsync();
        await using var other = await client.OpenSessionAsync();
        Assert.Equal(
            [0, 1], (await Task.WhenAll(barrier.WaitAsync(), other.Barrier(barrier.Name).WaitAsync()).WaitAsync(s_patience)).Order());
    }

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = shared.Coordinator.DataDirectory });
}
