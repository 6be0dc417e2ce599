using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Objects of the program's own types, by reflection and by generated code, and the types of the SDK around them.</summary>
public sealed class TypedObjectTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_queue_of_values_gives_them_back_typed()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var dead = Unique("dead");
        await client.CreateQueueAsync(dead);
        var options = new QueueOptions { Order = QueueOrder.Priority, MaxItems = 5, DeadLetterQueue = dead };
        var status = await client.CreateQueueAsync(Unique("typed"), options);
        Assert.Equal((QueueOrder.Priority, 5, dead), (status.Options.Order, status.Options.MaxItems, status.Options.DeadLetterQueue));

        var queue = session.Queue<Job>(status.Name);
        await queue.PutAsync(new Job("later", 2), priority: 2);
        await queue.PutAllAsync([new Job("first", 1)]);
        Assert.Equal(2, (await client.GetQueueAsync(queue.Name)).ReadyItems);
        Assert.Contains(queue.Name, (await client.ListQueuesAsync()).Select(item => item.Name));
        await using (var item = await queue.LeaseAsync().WaitAsync(s_patience))
        {
            Assert.Equal((new Job("first", 1), 1), (item!.Body, item.DeliveryCount));
            Assert.Equal(1, (await client.GetQueueAsync(queue.Name)).LeasedItems);
            Assert.True(await item.RejectAsync("no use"));
        }

        Assert.Equal(new Job("later", 2), await queue.TryGetAsync(TimeSpan.Zero));
        await client.ShutDownQueueAsync(queue.Name);
        Assert.Null(await queue.GetAsync());
        Assert.True((await client.GetQueueAsync(queue.Name)).IsShutDown);
        await using var letter = await session.Queue<Job>(dead).LeaseAsync().WaitAsync(s_patience);
        Assert.Equal((new Job("first", 1), queue.Name), (letter!.Body, letter.DeadLetter!.Queue));
        Assert.Contains("no use", letter.DeadLetter.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_another_type_names_queue_and_field_and_can_still_be_rejected()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var name = (await client.CreateQueueAsync(Unique("typed"))).Name;
        await session.Queue(name).PutAsync(Payloads.FromJson("""{"name": "x", "size": "big"}"""));
        await using var item = await session.Queue<Job>(name).LeaseAsync().WaitAsync(s_patience);
        var error = Assert.Throws<JsonException>(() => item!.Body);
        Assert.StartsWith($"A value of queue \"{name}\" is no Job, because of its field size: ", error.Message, StringComparison.Ordinal);
        Assert.True(await item!.RejectAsync("not a job"));
    }

    [Fact]
    public async Task Generated_code_and_the_client_s_options_serialize_the_same_values()
    {
        var json = new JsonSerializerOptions { TypeInfoResolver = TypedJson.Default, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
        await using var client = await ConnectAsync(json);
        await using var session = await client.OpenSessionAsync();
        var name = (await client.CreateQueueAsync(Unique("typed"))).Name;
        await session.Queue(name, TypedJson.Default.Job).PutAsync(new Job("generated", 3));
        await session.Queue<Job>(name).PutAsync(new Job("by options", 4));
        Assert.Equal(3, (await session.Queue(name).GetAsync())!.Json.StructValue.Fields["size"].NumberValue);
        Assert.Equal(new Job("by options", 4), await session.Queue(name, TypedJson.Default.Job).GetAsync());
        // The context does not know this type.
        Assert.Throws<NotSupportedException>(() => session.Queue<Version>(name));
    }

    [Fact]
    public async Task A_pipe_carries_values_both_ways_until_its_end()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var pipe = session.Pipe<int?>(Unique("typed"));
        await client.CreatePipeAsync(pipe.Name, new PipeOptions { Duplex = true });
        await pipe.EndA.SendAsync(0);
        Assert.Equal(0, await pipe.EndB.ReceiveAsync().WaitAsync(s_patience));
        Assert.Equal((null, false), await pipe.EndB.TryReceiveAsync(TimeSpan.Zero));
        Assert.True(await pipe.EndB.TrySendAsync(7, s_patience));
        await pipe.EndB.CloseAsync();
        Assert.Equal([7], await pipe.EndA.ReceiveAllAsync().ToListAsync());
        Assert.Null(await pipe.EndA.ReceiveAsync().WaitAsync(s_patience));
    }

    [Fact]
    public async Task A_dict_reads_finds_updates_and_watches_values()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        // The versions of new objects begin after those of deleted ones; a watch gets all changes nevertheless.
        var deleted = session.Dict<int>(Unique("typed"));
        await deleted.SetAsync("x", 1);
        await deleted.DeleteAsync();
        var dict = session.Dict<Job>(Unique("typed"));
        await dict.SetAsync("a/1", new Job("one", 1));
        await dict.SetAsync("b/2", new Job("two", 2));
        Assert.Equal(new Job("one", 1), await dict.GetAsync("a/1"));
        Assert.Null(await dict.GetAsync("c"));
        Assert.Null(await dict.FindAsync("c"));
        Assert.Equal(new Job("one", 2), await dict.UpdateAsync("a/1", job => job! with { Size = job.Size + 1 }));
        Assert.Equal(new Job("two", 2), await dict.SetDefaultAsync("b/2", new Job("other", 0)));
        Assert.Equal(["a/1", "b/2"], await dict.ReadAllAsync().Select(item => item.Key).ToListAsync());
        Assert.Equal([2], await dict.ReadAllAsync("b/").Select(item => item.Value.Size).ToListAsync());

        var found = (await dict.FindAsync("b/2"))!;
        await dict.SetAsync("b/2", new Job("two", 3), UpdateGuard.AtVersion(found.DictVersion));
        var stale = await Assert.ThrowsAsync<OrchestratorException>(
            () => dict.SetAsync("b/2", new Job("two", 4), UpdateGuard.AtVersion(found.DictVersion)));
        Assert.Equal(FailureReason.Stale, stale.Reason);
        await dict.RemoveAsync("a/1");

        var changes = new List<DictChange<Job>>();
        using var patience = new CancellationTokenSource(s_patience);
        await foreach (var change in dict.WatchAsync(cancellationToken: patience.Token))
        {
            changes.Add(change);
            if (change.Kind == DictChangeKind.Removed)
                break;
        }

        Assert.Equal(("a/1", null), (changes[^1].Key, changes[^1].Value));
        Assert.Equal(new Job("two", 3), changes[^2].Value);
        Assert.All(changes[..^1], change => Assert.Equal(DictChangeKind.Set, change.Kind));
    }

    [Fact]
    public async Task A_list_holds_values()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var list = session.List<string>(Unique("typed"));
        Assert.Equal(1, await list.AppendAsync("b"));
        await list.InsertAsync(0, "a");
        await list.SetAsync(1, "c");
        Assert.Equal(["a", "c"], await list.ReadAsync());
        Assert.Equal("c", await list.PopAsync());
        await list.ClearAsync();
        Assert.Empty(await list.ReadAsync());
        await list.DeleteAsync();
        Assert.DoesNotContain(list.Name, (await client.Contract.ListStateAsync(StateKind.List)).Select(info => info.Name));
    }

    [Fact]
    public async Task Numbers_are_of_the_caller_s_type()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var temperature = session.Value<double>(Unique("typed"));
        Assert.Null(await temperature.ReadAsync());
        Assert.Equal(1.5, await temperature.AddAsync(1.5));
        Assert.Equal(1.25, await temperature.LowerToAsync(1.25));
        Assert.Equal(2.5, await temperature.RaiseToAsync(2.5));
        Assert.True(await temperature.CompareAndSetAsync(2.5, 4));
        var seen = await temperature.WatchAsync(cancellationToken: TestContext.Current.CancellationToken)
            .Select(change => change.Value).TakeWhile(value => value != 4).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal([1.5, 1.25, 2.5], seen);

        var counts = session.Array<int>(Unique("typed"), 3);
        Assert.Equal(2, await counts.AddAsync(-1, 2));
        await counts.SetAsync(0, 1);
        Assert.Equal([1, 0, 2], await counts.ReadAsync());
        Assert.Throws<NotSupportedException>(() => session.Value<decimal>("n"));

        var large = session.Value<long>(Unique("typed"));
        await large.SetAsync(long.MaxValue);
        await Assert.ThrowsAsync<OverflowException>(() => session.Value<int>(large.Name).ReadAsync());
    }

    [Fact]
    public async Task A_held_lock_guards_an_update_and_a_stale_one_is_refused()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var name = Unique("typed");
        var value = session.Value<long>(name);
        var old = await session.WriteLock(name).AcquireAsync().WaitAsync(s_patience);
        await value.SetAsync(1, UpdateGuard.Holding(old));
        await old.DisposeAsync();
        await using var now = await session.WriteLock(name).AcquireAsync().WaitAsync(s_patience);
        await value.SetAsync(2, UpdateGuard.Holding(now));
        var stale = await Assert.ThrowsAsync<OrchestratorException>(() => value.SetAsync(3, UpdateGuard.Holding(old)));
        Assert.Equal(FailureReason.Stale, stale.Reason);
        Assert.Equal(2, await value.ReadAsync());
    }

    [Fact]
    public async Task Readers_share_a_lock_and_a_reentrant_one_is_acquired_again()
    {
        await using var client = await ConnectAsync();
        await using var first = await client.OpenSessionAsync();
        await using var second = await client.OpenSessionAsync();
        var name = Unique("typed");
        await using (await first.ReadLock(name).AcquireAsync().WaitAsync(s_patience))
        await using (await second.ReadLock(name).AcquireAsync().WaitAsync(s_patience))
            Assert.Null(await second.WriteLock(name).TryAcquireAsync(TimeSpan.Zero));
        var nested = Unique("typed");
        await using var outer = await first.ReentrantLock(nested).AcquireAsync().WaitAsync(s_patience);
        await using var inner = await first.ReentrantLock(nested).AcquireAsync().WaitAsync(s_patience);
        Assert.Equal((1, 2), (outer.Depth, inner.Depth));
    }

    [Fact]
    public async Task An_object_is_created_with_its_durability()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var name = Unique("typed");
        const DurabilityLevel Level = DurabilityLevel.Memory;
        await session.Dict<int>(name, Level).SetAsync("a", 1);
        await session.List<int>(name, Level).AppendAsync(1);
        await session.Value<long>(name, Level).AddAsync(1);
        await session.Array<long>(name, 1, Level).AddAsync(0, 1);
        await client.CreateQueueAsync(name, new QueueOptions { Durability = Level });
        var created = (await client.Contract.ListStateAsync()).Where(info => info.Name == name).ToArray();
        Assert.Equal(4, created.Length);
        Assert.All(created, info => Assert.Equal(Durability.Memory, info.Durability));
        Assert.Equal(Level, (await client.GetQueueAsync(name)).Options.Durability);
    }

    [Fact]
    public async Task A_rate_limiter_is_created_by_its_options()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var limiter = session.RateLimiter(Unique("typed"));
        await client.CreateRateLimiterAsync(limiter.Name, new RateLimiterOptions { Permits = 1, Period = TimeSpan.FromHours(1) });
        Assert.Null(await limiter.TryAcquireAsync(TimeSpan.Zero));
        Assert.NotNull(await limiter.TryAcquireAsync(TimeSpan.Zero));
        await client.DeleteRateLimiterAsync(limiter.Name);
    }

    [Fact]
    public async Task The_status_is_told_in_the_sdk_s_own_types()
    {
        await using var client = await ConnectAsync();
        var status = await client.GetStatusAsync();
        var contract = await client.Contract.GetStatusAsync();
        Assert.Equal((contract.Version, contract.Instance), (status.Version, status.Instance));
        Assert.Equal(
            contract.Workers.Select(worker => (worker.Name, worker.Pid)),
            status.Workers.Select(worker => (worker.Name, worker.Pid)));
        await foreach (var next in client.WatchStatusAsync(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken))
        {
            Assert.Equal(status.Instance, next.Instance);
            break;
        }
    }

    private Task<OrchestratorClient> ConnectAsync(JsonSerializerOptions? json = null) => OrchestratorClient.ConnectAsync(
        new OrchestratorClientOptions { DataDirectory = shared.Coordinator.DataDirectory, Json = json });

    internal sealed record Job(string Name, int Size);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TypedObjectTests.Job))]
internal sealed partial class TypedJson : JsonSerializerContext;
