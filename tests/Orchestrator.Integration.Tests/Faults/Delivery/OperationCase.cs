using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.V1.Operation;

namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>An operation of a session's stream that changes something: its id makes it safe to send again.</summary>
/// <param name="Kind">The operation's kind.</param>
/// <param name="Prepare">Creates the objects that it needs under this name.</param>
/// <param name="Make">The operation.</param>
/// <param name="Look">Reads the state afterwards.</param>
internal sealed record OperationCase(
    RequestOneofCase Kind, Func<DeliveryWorld, string, Task> Prepare, Func<DeliveryWorld, string, Operation> Make,
    Func<DeliveryWorld, string, Task<string>> Look)
{
    private static readonly Func<DeliveryWorld, string, Task> s_nothing = (_, _) => Task.CompletedTask;
    private static readonly Func<DeliveryWorld, string, Task> s_queue = (world, name) => world.QueueAsync(name);
    private static readonly Func<DeliveryWorld, string, Task> s_pipe = (world, name) => world.PipeAsync(name);
    private static readonly Func<DeliveryWorld, string, Task<string>> s_lookAtQueue = (world, name) => world.LookAtQueueAsync(name);
    private static readonly Func<DeliveryWorld, string, Task<string>> s_lookAtPipe = (world, name) => world.LookAtPipeAsync(name);
    private static readonly Func<DeliveryWorld, string, Task<string>> s_lookAtSync = (world, name) => world.LookAtSyncAsync(name);

    public static IReadOnlyList<OperationCase> All { get; } =
    [
        new(RequestOneofCase.Put, s_queue, (_, name) => new() { Put = new() { Queue = name, Items = { DeliveryWorld.Item("3") } } },
            s_lookAtQueue),
        new(RequestOneofCase.Get, s_queue, (_, name) => new() { Get = new() { Queue = name } }, s_lookAtQueue),
        new(RequestOneofCase.Settle, async (world, name) =>
        {
            await world.QueueAsync(name);
            var got = await world.SureQueues.GetAsync(
                new GetRequest { Queue = name, Leased = true, SessionId = world.Session }, DeliveryWorld.Soon);
            world.Lease = got.Items.Single().LeaseId;
        }, (world, name) => new() { Settle = new() { Queue = name, LeaseIds = { world.Lease }, Settlement = Settlement.Done } },
        s_lookAtQueue),
        new(RequestOneofCase.Send, s_pipe, (_, name) =>
            new() { Send = new() { Pipe = name, End = PipeEnd.A, Messages = { DeliveryWorld.Item("3").Body } } }, s_lookAtPipe),
        new(RequestOneofCase.Receive, s_pipe, (_, name) => new() { Receive = new() { Pipe = name, End = PipeEnd.A } }, s_lookAtPipe),
        new(RequestOneofCase.ClosePipeEnd, s_pipe, (_, name) => new() { ClosePipeEnd = new() { Pipe = name, End = PipeEnd.A } },
            s_lookAtPipe),
        new(RequestOneofCase.UpdateDict, s_nothing, (_, name) =>
            new() { UpdateDict = new() { Dict = name, Edits = { new DictEdit { Key = "a", Add = 1 } } } }, async (world, name) =>
            $"{(await world.SureState.ReadDictAsync(new ReadDictRequest { Dict = name }, DeliveryWorld.Soon)).Entries.Single().Value}"),
        new(RequestOneofCase.UpdateList, s_nothing, (_, name) => new() { UpdateList =
            new() { List = name, Edits = { new ListEdit { Append = DeliveryWorld.Item("x").Body } } } }, async (world, name) =>
            $"{(await world.SureState.ReadListAsync(new ReadListRequest { List = name }, DeliveryWorld.Soon)).Count}"),
        new(RequestOneofCase.UpdateValue, s_nothing, (_, name) => new() { UpdateValue = new() { Value = name, Edit = One() } },
            async (world, name) =>
            $"{(await world.SureState.ReadValueAsync(new ReadValueRequest { Value = name }, DeliveryWorld.Soon)).Current}"),
        new(RequestOneofCase.UpdateArray, s_nothing, (_, name) => new() { UpdateArray =
            new() { Array = name, Length = 2, Edits = { new ArrayEdit { Index = 1, Edit = One() } } } }, async (world, name) =>
            $"{(await world.SureState.ReadArrayAsync(new ReadArrayRequest { Array = name }, DeliveryWorld.Soon)).Values}"),
        new(RequestOneofCase.AcquireLock, s_nothing, (_, name) => new() { AcquireLock = new() { Lock = name, Mode = LockMode.Reentrant } },
            s_lookAtSync),
        new(RequestOneofCase.ReleaseLock, async (world, name) =>
        {
            // Acquired twice, so that a second release would show.
            for (var i = 0; i < 2; i++)
                await world.Coordinator.Sync.AcquireLockAsync(
                    new AcquireLockRequest { Lock = name, Mode = LockMode.Reentrant, SessionId = world.Session }, DeliveryWorld.Soon);
        }, (_, name) => new() { ReleaseLock = new() { Lock = name } }, s_lookAtSync),
        new(RequestOneofCase.AcquireSemaphore, s_nothing,
            (_, name) => new() { AcquireSemaphore = new() { Semaphore = name, InitialPermits = 5 } }, s_lookAtSync),
        new(RequestOneofCase.ReleaseSemaphore, async (world, name) =>
            await world.Coordinator.Sync.AcquireSemaphoreAsync(new AcquireSemaphoreRequest { Semaphore = name, InitialPermits = 5,
                Permits = 3, SessionId = world.Session }, DeliveryWorld.Soon),
            (_, name) => new() { ReleaseSemaphore = new() { Semaphore = name, Permits = 1 } }, s_lookAtSync),
        new(RequestOneofCase.SetEvent, s_nothing, (_, name) => new() { SetEvent = new() { Event = name, Set = true } }, s_lookAtSync),
        new(RequestOneofCase.WaitCondition, HoldAsync, (_, name) =>
            new() { WaitCondition = new() { Condition = name, Lock = $"{name}-lock", Timeout = Specs.Seconds(0.05) } }, s_lookAtSync),
        new(RequestOneofCase.NotifyCondition, HoldAsync,
            (_, name) => new() { NotifyCondition = new() { Condition = name, Lock = $"{name}-lock", Count = 1 } }, s_lookAtSync),
        new(RequestOneofCase.WaitBarrier, s_nothing, (_, name) => new() { WaitBarrier = new() { Barrier = name, Parties = 1 } },
            s_lookAtSync),
        new(RequestOneofCase.CountDownLatch, s_nothing, (_, name) => new() { CountDownLatch = new() { Latch = name, Count = 5, By = 1 } },
            async (world, name) =>
            $"{(await world.Coordinator.Sync.WaitLatchAsync(
                new WaitLatchRequest { Latch = name, Timeout = Specs.Seconds(0) }, DeliveryWorld.Soon)).Remaining}"),
        new(RequestOneofCase.AcquirePermits, async (world, name) => await world.Coordinator.Sync.CreateRateLimiterAsync(
            new CreateRateLimiterRequest { Spec =
                new RateLimiterSpec { Name = name, Permits = 5, Period = Specs.Seconds(600), Burst = 5 } }, DeliveryWorld.Soon),
            (_, name) => new() { AcquirePermits = new() { RateLimiter = name, Permits = 2 } }, async (world, name) =>
            // Three are left: not four, and not one.
            $"{(await world.Coordinator.Sync.AcquirePermitsAsync(
                new AcquirePermitsRequest { RateLimiter = name, Permits = 3, Timeout = Specs.Seconds(0) }, DeliveryWorld.Soon)).Status}, "
            + $"{(await world.Coordinator.Sync.AcquirePermitsAsync(
                new AcquirePermitsRequest { RateLimiter = name, Permits = 1, Timeout = Specs.Seconds(0) }, DeliveryWorld.Soon)).Status}"),
    ];

    private static async Task HoldAsync(DeliveryWorld world, string name) =>
        await world.Coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = $"{name}-lock", SessionId = world.Session }, DeliveryWorld.Soon);

    private static NumberEdit One() => new() { Add = new Number { Integer = 1 } };
}
